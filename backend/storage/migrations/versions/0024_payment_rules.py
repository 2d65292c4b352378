"""Rules of stages, and the deals that entered them"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

OPEN = "state != 'done'"


def upgrade() -> None:
    op.create_table(
        "payment_rule",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("root_id", sa.String(), nullable=False),
        sa.Column("key_digest", sa.String(), nullable=False, unique=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
    )
    op.create_table(
        "stage_entry",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("root_id", sa.String(), nullable=False),
        sa.Column("pipeline_id", sa.BigInteger(), nullable=True),
        sa.Column("status_id", sa.BigInteger(), nullable=True),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.Double(), nullable=True),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("entered_at", sa.Double(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=False),
    )
    op.create_index(
        "stage_entry_open",
        "stage_entry",
        ["account_id", "next_try_at"],
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_index("stage_entry_of_deal", "stage_entry", ["account_id", "lead_id", "received_at"])
