"""Rewriting all deals of an account continues where it was interrupted"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("redraw_from", sa.BigInteger(), nullable=True))
