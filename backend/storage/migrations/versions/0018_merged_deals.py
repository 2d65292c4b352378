"""Merged deals, and the time up to which Kommo's feed of merges was read"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

MISSING = "missing_since IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "merged_deal",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("survivor_id", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("found_at", sa.Double(), nullable=False),
    )
    op.create_index("merged_deal_survivor", "merged_deal", ["account_id", "survivor_id"])
    op.create_table(
        "merge_feed",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("heard_to", sa.Double(), nullable=False),
    )
    op.add_column("deal", sa.Column("missing_since", sa.Double(), nullable=True))
    op.create_index(
        "deal_missing",
        "deal",
        ["account_id", "missing_since"],
        sqlite_where=sa.text(MISSING),
        postgresql_where=sa.text(MISSING),
    )
