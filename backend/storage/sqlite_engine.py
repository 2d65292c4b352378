"""SQLAlchemy's engine over SQLite: its settings, when a transaction begins, and how a connection closes."""

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from backend.storage.inline_sqlite import open_inline
from backend.storage.threaded_sqlite import open_threaded

BUSY_SECONDS = 20
WAL_SECONDS = 1.0
SQLITE_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON")
"""Settings of every connection that writes: a commit survives a power cut."""
LOSABLE_PRAGMAS = ("synchronous=NORMAL", "foreign_keys=ON")
"""Settings for rows that are worth nothing after a restart: a commit survives the process, but maybe no power cut."""


class UnlockingConnection(sqlite3.Connection):
    """A connection that ends its transaction before it closes.

    ``close`` alone keeps the transaction, and with it the lock on the file, until the last cursor of the connection
    is collected as garbage (https://sqlite.org/c3ref/close.html, *zombie*). A unit of work that is cancelled leaves
    such a cursor in the frames of its exception.
    """

    def close(self) -> None:
        """Roll an open transaction back, then close the connection."""
        if self.in_transaction:
            self.rollback()
        super().close()


def threaded_engine(url: str, pragmas: Sequence[str] = SQLITE_PRAGMAS) -> AsyncEngine:
    """An engine that writes: each connection has its own thread and waits ``BUSY_SECONDS`` for the file's lock."""
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=5,
        connect_args={
            "timeout": BUSY_SECONDS,
            "factory": UnlockingConnection,
            "async_creator_fn": open_threaded,
        },
    )
    _prepare(engine.sync_engine, pragmas)
    return engine


def inline_engine(url: str) -> AsyncEngine:
    """A read-only engine on the event loop, for the few rows that people wait for."""
    engine = create_async_engine(
        url, poolclass=AsyncAdaptedQueuePool, pool_size=5, connect_args={"async_creator_fn": open_inline}
    )
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(engine: Engine, pragmas: Sequence[str]) -> None:
    """Set WAL so that readers never wait, the ``pragmas``, and our own BEGIN."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        _use_wal(cursor)
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "begin", _begin)


def _begin(connection: Any) -> None:
    """Begin the transaction explicitly: SQLite's driver would begin only with the first write."""
    immediate = connection.get_execution_options().get("may_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _use_wal(cursor: Any) -> None:
    """Switch the file to WAL, waiting for other processes that switch it at the same moment.

    SQLite fails at once, without its busy timeout, where two connections to a new file both want to switch it
    (https://sqlite.org/c3ref/busy_handler.html). Raises ``sqlite3.OperationalError`` after a second of that.
    """
    deadline = time.monotonic() + WAL_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
