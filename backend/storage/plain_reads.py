"""One row by one statement, without the engine: for what is asked so often that the engine costs more than the read."""

import sqlite3
from functools import cached_property
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError

from backend.storage.db import Database
from backend.storage.inline_sqlite import LOCKED_SECONDS

Row = tuple[Any, ...]


class PlainRead:
    """A statement whose values are named by ``bindparam``."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement

    @cached_property
    def _text(self) -> str:
        return str(self._statement.compile(dialect=sqlite.dialect(paramstyle="named")))

    async def first(self, database: Database, **values: Any) -> Row | None:
        """Returns the first row, its values as the driver gives them, or None. Raises ``OperationalError``.

        On SQLite it runs on the event loop, on a connection of its own that can only read.
        """
        if database.is_sqlite:
            return _first(database, self._text, values)
        async with database.look() as session:
            found = (await (await session.connection()).execute(self._statement, values)).first()
        return None if found is None else tuple(found)


def _first(database: Database, text: str, values: dict[str, Any]) -> Row | None:
    try:
        found: Row | None = _reader(database).execute(text, values).fetchone()
    except sqlite3.Error as error:
        database.plain_reader = None
        raise OperationalError("a plain read", None, error) from error
    return found


def _reader(database: Database) -> sqlite3.Connection:
    if database.plain_reader is None:
        words, options = database.connect_words()
        options |= {"timeout": LOCKED_SECONDS, "isolation_level": None, "check_same_thread": False}
        database.plain_reader = sqlite3.connect(*words, **options)
        database.plain_reader.execute("PRAGMA query_only=ON")
        database.at_close(database.plain_reader.close)
    return database.plain_reader
