"""Reminders: an admin's choice, a row per step, and the next check of each request"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "reminder_settings",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("since", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "reminder",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("planned_for", sa.Double(), nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.Column("sending_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "request_id", "step"),
    )
    op.create_table(
        "reminder_stop",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "lead_id"),
    )
    with op.batch_alter_table("payment_request") as batch_op:
        batch_op.add_column(sa.Column("remind_at", sa.Double(), nullable=True))
    is_due = sa.text("remind_at IS NOT NULL")
    op.create_index(
        "payment_request_reminds",
        "payment_request",
        ["account_id", "remind_at"],
        sqlite_where=is_due,
        postgresql_where=is_due,
    )
