"""Role and language of a session in the admin's app"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    for table in ("setup_link", "setup_session"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("role", sa.String(), nullable=False, server_default="administrator"))
            batch_op.add_column(sa.Column("language", sa.String(), nullable=False, server_default=""))
