"""All payments and open requests in one list, for the admin's app"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "payment_line",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("is_payment", sa.Boolean(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("overdue_at", sa.Double(), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "lead_id", "id"),
    )
    op.create_index("payment_line_newest", "payment_line", ["account_id", "livemode", "at", "id", "lead_id"])
    op.create_index("inbox_received", "inbox_event", ["connection_id", "received_at", "id"])
    with op.batch_alter_table("deal") as batch_op:
        batch_op.add_column(sa.Column("listed", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("pipeline_id", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("responsible_id", sa.BigInteger(), nullable=True))
    where = sa.text("listed < wanted")
    op.create_index("deal_unlisted", "deal", ["account_id", "lead_id"], sqlite_where=where, postgresql_where=where)
