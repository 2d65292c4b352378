"""Bots that wait at a step of ours"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

OPEN = "state != 'done'"


def upgrade() -> None:
    op.create_table(
        "bot_step",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=False),
    )
    op.create_index(
        "bot_step_open",
        "bot_step",
        ["account_id", "next_try_at"],
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_index("bot_step_of_deal", "bot_step", ["account_id", "lead_id"])
