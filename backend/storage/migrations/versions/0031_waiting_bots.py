"""Bots that wait for the payment"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    with op.batch_alter_table("bot_step") as batch_op:
        batch_op.add_column(sa.Column("wait_until", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("seen", sa.Integer(), nullable=False, server_default="0"))
