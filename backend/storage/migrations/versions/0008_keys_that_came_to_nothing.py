"""Counters of idempotency keys for which Stripe replays an error"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("refund_request") as batch_op:
        batch_op.add_column(sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("tried_at", sa.Double(), nullable=False, server_default="0"))
    with op.batch_alter_table("stripe_connection") as batch_op:
        batch_op.add_column(sa.Column("endpoint_tries", sa.Integer(), nullable=False, server_default="0"))
