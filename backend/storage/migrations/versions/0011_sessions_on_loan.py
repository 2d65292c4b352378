"""Sessions of the set-up pages with the time of their last check and use; earlier sessions end"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("setup_session") as batch_op:
        batch_op.add_column(sa.Column("checked_at", sa.Double(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("seen_at", sa.Double(), nullable=False, server_default="0"))
