"""A SQLite connection for short reads on the event loop: the part of ``aiosqlite`` that SQLAlchemy needs, without a
thread.

``aiosqlite`` hands each step of a statement (cursor, execute, fetch, close) to a thread and back, which costs several
times the read itself. In WAL mode a read never waits for a writer, so it can run on the event loop.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

LOCKED_SECONDS = 1.0
"""Limit of waiting for the lock. In WAL mode only crash recovery and a rebuild of the database hold it."""


def kind_of(error: sqlite3.Error) -> int:
    """The primary result code of an error, 0 if it is the driver's own (https://sqlite.org/rescode.html)."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


class DriverCursor:
    """What SQLAlchemy reads of ``aiosqlite.Cursor`` beside its methods."""

    def __init__(self) -> None:
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self


class InlineCursor(DriverCursor):
    """The part of ``aiosqlite.Cursor`` that SQLAlchemy uses."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        super().__init__()
        self._cursor = cursor

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        """Run the statement and return this cursor. Raises ``sqlite3.Error``."""
        self._cursor.execute(statement, parameters)
        self.description = self._cursor.description
        return self

    async def fetchall(self) -> list[Any]:
        """All remaining rows."""
        return self._cursor.fetchall()

    async def close(self) -> None:
        """Close the cursor."""
        self._cursor.close()


class InlineConnection:
    """The part of ``aiosqlite.Connection`` that SQLAlchemy uses; it refuses to write."""

    def __init__(self, *words: Any, **options: Any) -> None:
        self._connection = _open_reader(*words, **options)

    def cursor(self) -> InlineCursor:
        """A new cursor of this connection."""
        return InlineCursor(self._connection.cursor())

    async def create_function(self, name: str, parameters: int, function: Callable[..., Any], **more: Any) -> None:
        """Register an SQL function, as ``sqlite3.Connection.create_function``."""
        self._connection.create_function(name, parameters, function, **more)

    async def commit(self) -> None:
        """End the read transaction."""
        self._connection.commit()

    async def rollback(self) -> None:
        """Roll the read transaction back."""
        self._connection.rollback()

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def stop(self) -> None:
        """Close the connection at once, as SQLAlchemy does with one that it cannot close in the event loop."""
        self._connection.close()


class PlainConnection:
    """One connection for SQL text on the event loop, opened with the first statement and again after a failure.

    ``connect_words``: returns the arguments of ``sqlite3.connect``.
    """

    def __init__(self, connect_words: Callable[[], tuple[Sequence[Any], dict[str, Any]]]) -> None:
        self._connect_words = connect_words
        self._connection: sqlite3.Connection | None = None

    def _open(self, *words: Any, **options: Any) -> sqlite3.Connection:
        raise NotImplementedError

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            words, options = self._connect_words()
            self._connection = self._open(*words, **options)
        return self._connection

    def close(self) -> None:
        """Close the connection; the next statement opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class PlainReader(PlainConnection):
    """Makes reads."""

    def _open(self, *words: Any, **options: Any) -> sqlite3.Connection:
        return _open_reader(*words, **options)

    def first(self, statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, or None. Raises ``sqlite3.Error``."""
        try:
            found: tuple[Any, ...] | None = self._opened().execute(statement, values).fetchone()
        except sqlite3.Error:
            self.close()
            raise
        return found

    def all(self, reads: Sequence[tuple[str, Any]], most: int) -> list[list[tuple[Any, ...]]] | None:
        """The rows of each statement, all of one state; None if they are more than ``most``.

        Raises ``sqlite3.Error``.
        """
        found: list[list[tuple[Any, ...]]] = []
        try:
            connection = self._opened()
            connection.execute("BEGIN")
            for statement, values in reads:
                found.append(connection.execute(statement, values).fetchmany(most + 1))
                most -= len(found[-1])
                if most < 0:
                    break
            connection.execute("COMMIT")
        except sqlite3.Error:
            self.close()
            raise
        return None if most < 0 else found


class PlainWriter(PlainConnection):
    """Makes statements of which each is a transaction that neither waits for a lock nor for the disk.

    It never moves the log into the database, which would wait for the disk.
    """

    def write(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]] | None:
        """The rows that the statement returns; None if nothing was written, mostly because somebody else writes.

        Why it was not is no matter here: a unit of work that makes the statement again says it.
        """
        try:
            return self._opened().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            if kind_of(error) != sqlite3.SQLITE_BUSY:
                self.close()
            return None

    def _open(self, *words: Any, **options: Any) -> sqlite3.Connection:
        options |= {"timeout": 0, "isolation_level": None, "check_same_thread": False}
        connection: sqlite3.Connection = sqlite3.connect(*words, **options)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        return connection


def _open_reader(*words: Any, **options: Any) -> sqlite3.Connection:
    """A connection that refuses to write. The arguments are those of ``sqlite3.connect``."""
    options |= {"timeout": LOCKED_SECONDS, "isolation_level": None, "check_same_thread": False}
    connection: sqlite3.Connection = sqlite3.connect(*words, **options)
    connection.execute("PRAGMA query_only=ON")
    return connection


async def open_inline(*words: Any, **options: Any) -> InlineConnection:
    """A new connection, for SQLAlchemy's ``async_creator_fn``. The arguments are those of ``sqlite3.connect``."""
    return InlineConnection(*words, **options)
