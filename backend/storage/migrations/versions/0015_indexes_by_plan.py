"""Indexes of unfinished rows, so that no frequent statement reads finished ones"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

UNFINISHED = "state IN ('new', 'postponed', 'dead')"
PRUNABLE = "(state = 'done' AND body IS NOT NULL) OR state IN ('foreign', 'ignored')"


def upgrade() -> None:
    op.drop_index("inbox_waiting", "inbox_event")
    op.drop_index("deal_dirty", "deal")
    _partial("inbox_open", "inbox_event", ["connection_id", "next_try_at", "received_at", "state"], UNFINISHED)
    _partial("inbox_prunable", "inbox_event", ["received_at"], PRUNABLE)
    _partial("deal_dirty", "deal", ["account_id", "dirty_since"], "written < wanted")
    _partial("deal_look_again", "deal", ["account_id", "look_again_at"], "look_again_at IS NOT NULL")
    op.create_index("ledger_of_account", "ledger_entry", ["account_id", "id"])


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
