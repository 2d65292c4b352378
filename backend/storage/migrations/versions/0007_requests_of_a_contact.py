"""Requests of a contact, found by the contact"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("ix_payment_request_contact_id", "payment_request", ["contact_id"])
