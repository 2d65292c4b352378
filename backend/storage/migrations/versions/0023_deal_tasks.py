"""Tasks of a deal that other rooms order"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "deal_task",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("fact_id", sa.String(), primary_key=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("healed", sa.Boolean(), nullable=False),
    )
