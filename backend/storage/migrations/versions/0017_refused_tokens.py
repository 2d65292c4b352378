"""Probing of a refused long-lived token before the account must be connected again"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("refused_since", sa.Double(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("probe_at", sa.Double(), nullable=False, server_default="0"))
