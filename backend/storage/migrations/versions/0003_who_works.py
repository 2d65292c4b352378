"""Heartbeats of workers, the order of their turns, and counters of all processes"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("account_work", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_lock", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("claimed_at", sa.Double(), nullable=False, server_default="0"))
    op.create_table(
        "worker_beat",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )
    op.create_table(
        "counted",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels"),
    )
