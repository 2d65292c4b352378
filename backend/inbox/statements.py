"""The statements that store a group of webhooks, as text for the door's own connections."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlmodel import col, select

from backend.storage.models import AccountWork, InboxEvent, StripeConnection
from backend.work_queue.wakeups import waking


@dataclass(frozen=True, slots=True)
class Statements:
    """``insert_event`` takes a row of ``row_of``; ``wake_account`` takes ``wake(account_id)``; ``owner`` finds the
    account that took the ``connection``, if one did."""

    insert_event: str
    wake_account: str
    owner: str
    defaults: Mapping[str, Any]

    def wake(self, account_id: int) -> dict[str, Any]:
        return {**self.defaults, "account_id": account_id}


def _statements(insert: Any, dialect: Any) -> Statements:
    columns = list(InboxEvent.__table__.columns.keys())  # type: ignore[attr-defined]
    event = insert(InboxEvent).on_conflict_do_nothing().compile(dialect=dialect, column_keys=columns)
    wake = waking(insert(AccountWork), 0).compile(dialect=dialect)
    taken = select(StripeConnection.account_id).where(
        col(StripeConnection.account_id).is_not(None), col(StripeConnection.id) == bindparam("connection")
    )
    return Statements(str(event), str(wake), str(taken.compile(dialect=dialect)), wake.params)


SQLITE = _statements(sqlite.insert, sqlite.dialect(paramstyle="named"))
POSTGRES = _statements(postgresql.insert, PGDialect_psycopg())  # type: ignore[no-untyped-call]
