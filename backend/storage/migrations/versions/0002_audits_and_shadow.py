"""Verification of written deals, and the writes foreseen in shadow mode"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("audit_at", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("audits", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("restored", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("foreseen", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_index("deal_audit", ["account_id", "audit_at"], unique=False)
