"""Logos of accounts for the client's pages"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "account_logo",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_index("ix_account_logo_digest", "account_logo", ["digest"])
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("logo", sa.JSON(), nullable=False, server_default="{}"))
