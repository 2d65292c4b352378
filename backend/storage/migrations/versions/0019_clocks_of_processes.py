"""Clock differences between each process and the database"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "process_clock",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("ahead", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )
