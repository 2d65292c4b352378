"""Due dates of requests, and expiry of their links"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    with op.batch_alter_table("payment_request") as batch_op:
        batch_op.add_column(sa.Column("due_on", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("end_try_at", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("ended_at", sa.Double(), nullable=True))
    op.create_index(
        "payment_request_ends",
        "payment_request",
        ["account_id", "end_try_at"],
        sqlite_where=sa.text("end_try_at IS NOT NULL"),
        postgresql_where=sa.text("end_try_at IS NOT NULL"),
    )
