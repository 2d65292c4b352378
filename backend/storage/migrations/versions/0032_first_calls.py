"""The first calls after a silence"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    with op.batch_alter_table("rate") as batch_op:
        batch_op.add_column(sa.Column("awake_since", sa.Double(), nullable=False, server_default="0"))
