"""One row by one statement without the engine, for reads so frequent that the engine would cost more than the read."""

import sqlite3
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ClauseElement, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError

from backend.storage.db import Database
from backend.storage.recorded_reads import Read

Row = tuple[Any, ...]
Prepared = tuple[str, dict[str, Any]]
Rows = list[list[tuple[Any, ...]]]
MOST_ROWS = 300
"""In all. More are not worth comparing: the answer is made anew."""


def prepared(statement: ClauseElement) -> Prepared:
    """SQLite's text of the statement, and the values in it that no ``bindparam`` names."""
    named = sqlite.dialect(paramstyle="named")
    compiled = statement.compile(dialect=named, compile_kwargs={"render_postcompile": True})
    return str(compiled), dict(compiled.params)


class PlainRead:
    """A prepared read; the statement names its values by ``bindparam``."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.statement = statement

    @cached_property
    def _prepared(self) -> Prepared:
        return prepared(self.statement)

    async def first(self, database: Database, **values: Any) -> Row | None:
        """The first row with the driver's values, or None. Raises ``OperationalError``.

        On SQLite it runs on the event loop, on a separate read-only connection.
        """
        if database.is_sqlite:
            try:
                text, fixed = self._prepared
                return database.plain_reader.first(text, fixed | values)
            except sqlite3.Error as error:
                raise OperationalError("a plain read", None, error) from error
        async with database.look() as session:
            found = (await (await session.connection()).execute(self.statement, values)).first()
        return None if found is None else tuple(found)


def read_again(database: Database, reads: Sequence[Read]) -> Rows | None:
    """Return the rows of these reads in one state of a SQLite database, None if they are too many.

    It runs on the event loop. Raises ``OperationalError``.
    """
    try:
        return database.plain_reader.all(reads, MOST_ROWS)
    except sqlite3.Error as error:
        raise OperationalError("recorded reads", None, error) from error
