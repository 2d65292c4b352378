"""Whether units of work lock rows in the order that the product promises, read from the statements they send."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from backend.work_queue.lock_order import LOCK_ORDER

_LOCKING = re.compile(
    r"^\s*(?:(?P<write>UPDATE|DELETE\s+FROM)|(?P<upsert>INSERT\s+INTO)|(?P<select>SELECT))\b", re.IGNORECASE
)
_FIRST_TABLE = re.compile(r"^\s*(?:UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+\"?(\w+)", re.IGNORECASE)
_WAITING = re.compile(r"\bFOR (UPDATE|SHARE)\b(?!.*SKIP LOCKED)", re.DOTALL)
_FROM = re.compile(r"\bFROM\s+\"?(\w+)", re.IGNORECASE)


def locked_table(statement: str) -> str | None:
    """The table in which the statement may wait for a row that somebody else holds."""
    kind = _LOCKING.match(statement)
    if kind is None:
        return None
    if kind["select"]:
        table = _FROM.search(statement) if _WAITING.search(statement) else None
    elif kind["upsert"]:
        table = _FIRST_TABLE.match(statement) if "DO UPDATE" in statement else None
    else:
        table = _FIRST_TABLE.match(statement)
    return table[1] if table and table[1] in LOCK_ORDER else None


@contextmanager
def watched_lock_order() -> Iterator[list[str]]:
    """The offences of all PostgreSQL units while the block runs: the tables as they were locked, in a sentence."""
    offences: list[str] = []
    locked: dict[int, list[str]] = {}

    def begin(connection: Any) -> None:
        locked[id(connection)] = []

    def statement(connection: Any, _cursor: Any, text: str, _parameters: Any, _context: Any, _many: bool) -> None:
        table = locked_table(text) if connection.dialect.name == "postgresql" else None
        order = locked.setdefault(id(connection), [])
        if table is None or table in order:
            return
        order.append(table)
        if "account_work" in order and order[0] != "account_work":
            offences.append(f"account_work is locked after others: {' → '.join(order)}")

    listeners = (("begin", begin), ("before_cursor_execute", statement))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    try:
        yield offences
    finally:
        for name, listener in listeners:
            event.remove(Engine, name, listener)
