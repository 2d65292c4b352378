"""The SQL that stores a group of webhooks, as text for the endpoint's own connections."""

from collections.abc import Mapping, Sequence
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
    """The statements of one database.

    ``insert_event`` takes a row of ``row_of``, on PostgreSQL a list of values for each column (``as_lists``).
    ``wake_account`` takes ``wake(account_id)``. ``owner`` selects the account of a ``connection``, if it has one.
    """

    insert_event: str
    wake_account: str
    owner: str
    defaults: Mapping[str, Any]

    def wake(self, account_id: int) -> dict[str, Any]:
        """Return the parameters of ``wake_account``."""
        return {**self.defaults, "account_id": account_id}


COLUMNS: Sequence[Any] = list(InboxEvent.__table__.columns)  # type: ignore[attr-defined]


def as_lists(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return column → its values, in the order of the rows."""
    return {column.name: [row[column.name] for row in rows] for column in COLUMNS}


def _one_by_one(dialect: Any) -> str:
    inserted = sqlite.insert(InboxEvent).on_conflict_do_nothing()
    return str(inserted.compile(dialect=dialect, column_keys=[column.name for column in COLUMNS]))


def _all_at_once(dialect: Any) -> str:
    """Return one INSERT for a whole group: a statement for each row cost the server more than the row."""
    lists = ", ".join(f"%({column.name})b::{column.type.compile(dialect)}[]" for column in COLUMNS)
    names = ", ".join(column.name for column in COLUMNS)
    return f"INSERT INTO inbox_event ({names}) SELECT * FROM unnest({lists}) ON CONFLICT DO NOTHING"  # noqa: S608


def _statements(insert: Any, dialect: Any, insert_event: str) -> Statements:
    wake = waking(insert(AccountWork), 0).compile(dialect=dialect)
    taken = select(StripeConnection.account_id).where(
        col(StripeConnection.account_id).is_not(None), col(StripeConnection.id) == bindparam("connection")
    )
    return Statements(insert_event, str(wake), str(taken.compile(dialect=dialect)), wake.params)


_SQLITE, _POSTGRES = sqlite.dialect(paramstyle="named"), PGDialect_psycopg()  # type: ignore[no-untyped-call]
SQLITE = _statements(sqlite.insert, _SQLITE, _one_by_one(_SQLITE))
POSTGRES = _statements(postgresql.insert, _POSTGRES, _all_at_once(_POSTGRES))
