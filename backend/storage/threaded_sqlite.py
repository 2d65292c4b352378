"""A SQLite connection that makes each statement in one step: in its own thread, or on the event loop if it is short.

``aiosqlite`` hands each step of a statement (cursor, execute, fetch, close) to the thread and back, which costs several
times the statement itself. Here the thread makes all steps at once and keeps a cursor open only where more rows are
left than one step fetches.

The begin of a transaction and each SELECT are tried on the event loop first, without waiting for a lock. SQLite
interrupts a SELECT after ``SHORT_OPERATIONS`` (https://sqlite.org/c3ref/progress_handler.html). What was interrupted or
found the file locked is made again in the thread, from the start. An interrupted write would roll the whole transaction
back (https://sqlite.org/c3ref/interrupt.html): writes go to the thread at once.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite

from backend.storage.inline_sqlite import DriverCursor, kind_of

Found = TypeVar("Found")
ROWS_A_STEP = 200
SHORT_OPERATIONS = 20_000
"""Limit of SQLite's virtual machine for a statement on the event loop, about a millisecond."""


class StatementCursor(DriverCursor):
    """The part of ``aiosqlite.Cursor`` that SQLAlchemy uses; ``execute`` brings the first rows along."""

    def __init__(self, connection: "StatementConnection") -> None:
        super().__init__()
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: deque[Any] = deque()

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        """Run the statement and return this cursor. Raises ``sqlite3.Error``."""
        steps = partial(self._run, lambda cursor: cursor.execute(statement, parameters))
        await self._connection.run(statement, steps)
        return self

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Run the statement with each of ``parameters`` and return this cursor. Raises ``sqlite3.Error``."""
        steps = partial(self._run, lambda cursor: cursor.executemany(statement, parameters))
        await self._connection.run(statement, steps)
        return self

    async def fetchone(self) -> Any:
        """The next row, or None."""
        if not self._rows:
            await self._fetch_more()
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next ``size`` rows, or those that are left."""
        wanted = size or self.arraysize
        while len(self._rows) < wanted and self._cursor is not None:
            await self._fetch_more()
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> list[Any]:
        """All remaining rows."""
        while self._cursor is not None:
            await self._fetch_more()
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def close(self) -> None:
        """Close the cursor."""
        if self._cursor is not None:
            await self._connection.in_thread(self._finish)

    async def _fetch_more(self) -> None:
        if self._cursor is not None:
            await self._connection.in_thread(self._fetch)

    def _run(self, execute: Callable[[sqlite3.Cursor], Any]) -> None:
        self._cursor = cursor = self._connection.raw.cursor()
        try:
            execute(cursor)
            self.description = cursor.description
            self._fetch()
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        except BaseException:
            self._rows.clear()
            self._finish()
            raise

    def _fetch(self) -> None:
        """Fetch a step's rows, and close the cursor after the last one."""
        rows = self._cursor.fetchmany(ROWS_A_STEP) if self._cursor and self.description else []
        self._rows.extend(rows)
        if len(rows) < ROWS_A_STEP:
            self._finish()

    def _finish(self) -> None:
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            cursor.close()


class StatementConnection(aiosqlite.Connection):
    """``aiosqlite``'s connection with cursors that need one step a statement."""

    _has_written = False
    _is_hurried = False
    busy_milliseconds = 0
    """How long the thread waits for the file's lock."""
    _is_thread_busy = False
    """Stays set where a statement's task was cancelled: the thread goes on, and the event loop must not wait for it."""

    async def open(self) -> Self:
        """Open the file and return this connection. Raises ``sqlite3.Error``."""
        self._thread.daemon = True
        await self
        await self.set_progress_handler(lambda: self._is_hurried, SHORT_OPERATIONS)
        return self

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection itself, for one statement's steps."""
        return self._conn

    def cursor(self) -> Any:
        """A new cursor of this connection."""
        return StatementCursor(self)

    async def run(self, statement: str, steps: Callable[[], None]) -> None:
        """Make the steps of ``statement`` here or in the thread. Raises ``sqlite3.Error``."""
        is_read = statement.startswith("SELECT")
        is_light = is_read or statement.startswith("BEGIN")
        self._has_written |= not is_light
        if not (is_light and not self._is_thread_busy and self._is_made(steps, is_hurried=is_read)):
            await self.in_thread(steps)

    async def in_thread(self, step: Callable[[], Found]) -> Found:
        """The result of ``step``, called in the connection's thread. Raises what it raises."""
        execute: Any = self._execute
        self._is_thread_busy = True
        try:
            found: Found = await execute(step)
        except Exception:
            self._is_thread_busy = False
            raise
        self._is_thread_busy = False
        return found

    async def commit(self) -> None:
        """Commit the transaction; here if it has only read."""
        await self._end(self._conn.commit)

    async def rollback(self) -> None:
        """Roll the transaction back; here if it has only read."""
        await self._end(self._conn.rollback)

    def _is_made(self, steps: Callable[[], None], *, is_hurried: bool) -> bool:
        """Try the steps here; False if SQLite would have waited for a lock, or interrupted them as they were hurried.

        SQLite counts the operations of a statement over all its runs, so that a short one is interrupted now and then,
        and maybe when all is done: only what can be made a second time is hurried.
        """
        self._conn.execute("PRAGMA busy_timeout=0")
        self._is_hurried = is_hurried
        try:
            steps()
        except sqlite3.OperationalError as error:
            if kind_of(error) not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                raise
            return False
        finally:
            self._is_hurried = False
            self._conn.execute(f"PRAGMA busy_timeout={self.busy_milliseconds}")
        return True

    async def _end(self, end: Callable[[], None]) -> None:
        must_wait = self._has_written or self._is_thread_busy
        self._has_written = False
        if must_wait:
            await self.in_thread(end)
        else:
            end()


def open_threaded(*words: Any, **options: Any) -> Any:
    """A new connection, for SQLAlchemy's ``async_creator_fn``. The arguments are those of ``sqlite3.connect``."""
    connection = StatementConnection(lambda: sqlite3.connect(*words, **options), iter_chunk_size=ROWS_A_STEP)
    connection.busy_milliseconds = round(options["timeout"] * 1000)
    return connection.open()
