"""Backfill of events from Stripe's own list"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("inbox_event") as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(), nullable=False, server_default="webhook"))
    with op.batch_alter_table("stripe_connection") as batch_op:
        batch_op.add_column(sa.Column("heard_to", sa.Double(), nullable=False, server_default="0"))
