"""The registered state of a webhook endpoint, so that a start can compare it without a call"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    with op.batch_alter_table("stripe_connection") as batch_op:
        batch_op.add_column(sa.Column("endpoint_url", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("endpoint_events", sa.JSON(), nullable=False, server_default="[]"))
