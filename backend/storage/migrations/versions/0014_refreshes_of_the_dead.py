"""A token refresh names its process, so that its death frees the turn"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("refresh_owner", sa.BigInteger(), nullable=False, server_default="0"))
