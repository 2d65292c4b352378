"""Payment links sent by bots, chats and tasks"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "sending",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("origin_key", sa.String(), nullable=False),
        sa.Column("origin_name", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("refusals", sa.JSON(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("talk_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("sent_at", sa.Double(), nullable=False),
        sa.Column("reached_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
    )
    is_due = sa.text("due_at IS NOT NULL")
    op.create_index("sending_due", "sending", ["account_id", "due_at"], sqlite_where=is_due, postgresql_where=is_due)
    op.create_index("sending_of_deal", "sending", ["account_id", "lead_id"])
    op.create_index("sending_of_contact", "sending", ["account_id", "contact_id", "reached_at"])
