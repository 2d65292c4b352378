"""The webhook endpoint's own connection to SQLite. Its statements run on the event loop;
waiting and commit use a thread.

A group of webhooks is written between two units of the worker: the endpoint gets the next turn (``WriteTurns``), so its
statements don't wait. The thread is for what may: another process's lock, and the disk.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import OperationalError

from backend.inbox.arrivals import Group
from backend.inbox.statements import SQLITE
from backend.storage.db import Database
from backend.storage.sqlite_engine import SQLITE_PRAGMAS

CACHE_KIB = 32 * 1024
"""Holds the primary key of a million events. With SQLite's usual 2 MB each insert reads and writes pages of it: a third
of the speed was lost between a thousand events and a million."""
LOCKED_MS = 8_000
"""How long a group waits for another process's unit of work."""


class SqliteWriter:
    """Writes groups, one at a time. It opens its connection at the first one, and again after a failure."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox-commit")
        self._connection: sqlite3.Connection | None = None
        database.at_close(self._forget)

    async def write(self, group: Group) -> Sequence[int]:
        """As ``Writer.write``."""
        try:
            async with self._database.turns.turn(first=True):
                connection = self._opened()
                await self._commit(connection, group)
                return _owners(connection, group.unowned)
        except sqlite3.Error as error:
            self._forget()
            raise OperationalError("a group of webhooks", None, error) from error
        except BaseException:
            self._forget()
            raise

    async def _commit(self, connection: sqlite3.Connection, group: Group) -> None:
        await self._begin(connection)
        if connection.executemany(SQLITE.insert_event, group.rows).rowcount:
            connection.executemany(SQLITE.wake_account, [SQLITE.wake(account_id) for account_id in group.accounts])
        await self._in_thread(lambda: connection.execute("COMMIT"))

    async def _begin(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await self._in_thread(lambda: _begin_waiting(connection))

    async def _in_thread(self, work: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_connection(self._database)
        return self._connection

    def _forget(self) -> None:
        """Close the connection after the thread's present work; uncommitted statements are rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._thread.submit(connection.close)


def open_connection(database: Database) -> sqlite3.Connection:
    """Return a connection with the engine's settings (``sqlite_engine``) and a large page cache, which never waits for
    a lock by itself."""
    words, options = database.connect_words()
    options |= {"timeout": 0, "isolation_level": None, "check_same_thread": False}
    connection: sqlite3.Connection = sqlite3.connect(*words, **options)
    for pragma in (*SQLITE_PRAGMAS, f"cache_size=-{CACHE_KIB}"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _owners(connection: sqlite3.Connection, unowned: Sequence[str]) -> list[int]:
    return [found for one in unowned for (found,) in connection.execute(SQLITE.owner, {"connection": one})]


def _begin_waiting(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout={LOCKED_MS}")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute("PRAGMA busy_timeout=0")
