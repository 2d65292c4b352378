"""A SQLite connection for short reads on the event loop: what SQLAlchemy needs of ``aiosqlite``, without its thread.

``aiosqlite`` hands each step of a statement (cursor, execute, fetch, close) to a thread and back, which costs several
times the read itself. In WAL mode a read waits for nobody, so it may as well run where it is wanted.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

LOCKED_SECONDS = 1.0
"""WAL leaves nothing to wait for but a recovery after a crash and a database that is being rebuilt."""


class InlineCursor:
    """``aiosqlite.Cursor``, in part."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        self._cursor.execute(statement, parameters)
        self.description = self._cursor.description
        return self

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()


class InlineConnection:
    """``aiosqlite.Connection``, in part; it refuses to write."""

    def __init__(self, *words: Any, **options: Any) -> None:
        self._connection = _open_reader(*words, **options)

    def cursor(self) -> InlineCursor:
        return InlineCursor(self._connection.cursor())

    async def create_function(self, name: str, parameters: int, function: Callable[..., Any], **more: Any) -> None:
        self._connection.create_function(name, parameters, function, **more)

    async def commit(self) -> None:
        self._connection.commit()

    async def rollback(self) -> None:
        self._connection.rollback()

    async def close(self) -> None:
        self._connection.close()

    def stop(self) -> None:
        self._connection.close()


class PlainReader:
    """One connection for reads by statements that are text already: opened with the first, and anew after a failure.

    ``connect_words``: the arguments of ``sqlite3.connect``.
    """

    def __init__(self, connect_words: Callable[[], tuple[Sequence[Any], dict[str, Any]]]) -> None:
        self._connect_words = connect_words
        self._connection: sqlite3.Connection | None = None

    def first(self, statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Returns the first row or None; raises ``sqlite3.Error``."""
        try:
            found: tuple[Any, ...] | None = self._opened().execute(statement, values).fetchone()
        except sqlite3.Error:
            self.close()
            raise
        return found

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            words, options = self._connect_words()
            self._connection = _open_reader(*words, **options)
        return self._connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _open_reader(*words: Any, **options: Any) -> sqlite3.Connection:
    """A connection that refuses to write. The arguments are those of ``sqlite3.connect``."""
    options |= {"timeout": LOCKED_SECONDS, "isolation_level": None, "check_same_thread": False}
    connection: sqlite3.Connection = sqlite3.connect(*words, **options)
    connection.execute("PRAGMA query_only=ON")
    return connection


async def open_inline(*words: Any, **options: Any) -> InlineConnection:
    """For ``async_creator_fn``: the arguments are those of ``sqlite3.connect``."""
    return InlineConnection(*words, **options)
