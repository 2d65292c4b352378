"""Revocable sessions of the set-up pages, and URLs for Kommo's hooks"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "setup_session",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_setup_session_account_id", "setup_session", ["account_id"])
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("hook_secret", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("hook_digest", sa.String(), nullable=False, server_default=""))
        batch_op.create_index("ix_account_hook_digest", ["hook_digest"])
