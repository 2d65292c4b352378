"""A refresh says which process makes it, so that its death is enough to let another begin"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("refresh_owner", sa.BigInteger(), nullable=False, server_default="0"))
