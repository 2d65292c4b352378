"""Indexes of statements that read all rows of an account or a connection"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    for name, table in (
        ("ledger_link_parent", "ledger_link"),
        ("merged_deal_survivor", "merged_deal"),
        ("ix_payment_request_lead_id", "payment_request"),
        ("ix_payment_request_contact_id", "payment_request"),
        ("ix_audit_account_id", "audit"),
    ):
        op.drop_index(name, table)
    _index("ledger_link_parent", "ledger_link", "connection_id", "parent", "child")
    _index("merged_deal_survivor", "merged_deal", "account_id", "survivor_id", "lead_id")
    _index("payment_request_of_deal", "payment_request", "account_id", "lead_id")
    _index("payment_request_of_contact", "payment_request", "account_id", "contact_id")
    _index("audit_of_account", "audit", "account_id", "id")
    _index("audit_attached", "audit", "account_id", "id", where="what = 'payment attached'")
    _index("sending_of_request", "sending", "account_id", "request_id")
    _index("stage_entry_of_rule", "stage_entry", "account_id", "rule_id")
    _index("ledger_of_request", "ledger_entry", "account_id", "request_id", where="request_id IS NOT NULL")
    _index("card_write_made", "card_write", "account_id", "kommo_id", where="kind = 'deal'")


def _index(name: str, table: str, *columns: str, where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, list(columns), sqlite_where=condition, postgresql_where=condition)
