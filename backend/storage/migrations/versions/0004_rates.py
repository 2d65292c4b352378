"""Rate limit of Kommo for all processes together"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "rate",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("hold_until", sa.Double(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("blocked_at", sa.Double(), nullable=False),
        sa.Column("probe_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )
