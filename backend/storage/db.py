"""The database: engine, units of work, and the few statements that differ between SQLite and PostgreSQL."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import event, literal, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.inline_sqlite import PlainReader, PlainWriter
from backend.storage.recorded_reads import watch
from backend.storage.sqlite_engine import BUSY_SECONDS, LOSABLE_PRAGMAS, inline_engine, threaded_engine
from backend.storage.write_turns import WriteTurns

ASLEEP_SECONDS = 15
"""Limit of idle time inside a transaction: a unit of work waits for nothing but the database."""
UNIT_SECONDS = 120.0
"""Limit of a unit of work, far more than any takes on PostgreSQL: a server silent for so long is given up."""
POOL_SECONDS = 10.0
SILENT_PEER: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""libpq's parameters by which a server that vanished without closing its connections is noticed."""


class Database:
    """Opens units of work: ``read`` sees one state; ``write`` commits when its block ends without an error.

    On SQLite a unit that may write begins IMMEDIATE: two of them queue and never fail on each other half-way. A commit
    is durable: ``synchronous_commit = off`` of PostgreSQL is overridden for each unit.
    """

    def __init__(self, url: str) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = threaded_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._inline = inline_engine(url) if self.is_sqlite else self.engine
        self._losable = threaded_engine(url, LOSABLE_PRAGMAS) if self.is_sqlite else self.engine
        if self.is_sqlite:
            watch(self.engine, self._inline, self._losable)
        self.turns = WriteTurns()
        self._is_lazy = False
        self.plain_reader = PlainReader(self.connect_words)
        self.plain_writer = PlainWriter(self.connect_words)
        self._closers: list[Callable[[], Awaitable[None] | None]] = []
        if not self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", self._prepare_postgres)

    def _prepare_postgres(self, connection: Any, _record: Any) -> None:
        """Make the server end a transaction that sleeps or whose host vanished, so that its rows are free again."""
        cursor = connection.cursor()
        cursor.execute("SHOW synchronous_commit")
        self._is_lazy = cursor.fetchone()[0] == "off"
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{ASLEEP_SECONDS}s'")
        cursor.close()
        connection.commit()

    def bounded(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Raise ``OperationalError`` if the block takes longer than ``seconds``; its running statement is cancelled at
        the server.

        On SQLite there is no limit: the only wait, the one for its lock, has its own.
        """
        return nullcontext() if self.is_sqlite else _bounded(seconds)

    @asynccontextmanager
    async def read(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """A session for reading. Raises ``OperationalError`` after ``seconds``."""
        async with self.bounded(seconds), AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def look(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """As ``read``, for reads of a few rows that people wait for: on SQLite they run on the event loop."""
        async with self.bounded(seconds), AsyncSession(self._inline, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """A unit of work, committed when the block ends without an error and rolled back otherwise.

        Raises ``OperationalError`` after ``seconds``, or if the turn to write does not come in time (SQLite).
        """
        async with self._unit(self.engine, seconds, is_lasting=True) as session:
            yield session

    @asynccontextmanager
    async def write_losable(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """As ``write``, for rows that are worth nothing after a restart: the commit does not wait for the disk."""
        async with self._unit(self._losable, seconds, is_lasting=False) as session:
            yield session

    @asynccontextmanager
    async def _unit(self, engine: AsyncEngine, seconds: float, *, is_lasting: bool) -> AsyncIterator[AsyncSession]:
        async with self.bounded(seconds), self._turn(), AsyncSession(engine, expire_on_commit=False) as session:
            connection = await session.connection(execution_options={"may_write": True})
            if not self.is_sqlite and is_lasting == self._is_lazy:
                # per unit: a session's setting gets lost behind a transaction pooler
                await connection.exec_driver_sql(f"SET LOCAL synchronous_commit TO {'on' if is_lasting else 'off'}")
            yield session
            await session.commit()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """On SQLite: wait for this unit's turn among all writing units of this process. Raises ``OperationalError``."""
        if not self.is_sqlite:
            yield
            return
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.turns.turn(seconds=BUSY_SECONDS))
            except TimeoutError as error:
                raise OperationalError(None, None, TimeoutError("other units of work took too long")) from error
            yield

    @asynccontextmanager
    async def unshared(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside the pool with autocommit, for locks and notifications that belong to a session
        (PostgreSQL)."""
        engine = create_async_engine(
            self.engine.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={} if self.is_sqlite else _postgres_arguments(self.engine.url),
        )
        async with engine.connect() as connection:
            yield connection

    def close_to_others(self) -> None:
        """Remove all access of others from a SQLite database that anybody on this machine may read.

        A database that only a group may read keeps that mode, because somebody chose it.
        """
        path = Path(self.engine.url.database or "") if self.is_sqlite else None
        if path is None or not path.is_file():
            return
        for file in (path, *path.parent.glob(f"{path.name}-*")):
            mode = file.stat().st_mode
            if mode & stat.S_IRWXO:
                file.chmod(stat.S_IMODE(mode) & stat.S_IRWXU)

    def at_close(self, closer: Callable[[], Awaitable[None] | None]) -> None:
        """Register ``closer``, which ends a connection outside the engine; ``close`` calls it."""
        self._closers.append(closer)

    def connect_words(self) -> tuple[Sequence[Any], dict[str, Any]]:
        """The (positional, named) arguments with which the engine's driver connects, for a connection outside the
        engine.
        """
        words, options = self.engine.dialect.create_connect_args(self.engine.url)
        return words, {**options, **({} if self.is_sqlite else _postgres_arguments(self.engine.url))}

    async def close(self) -> None:
        """Close all connections, those registered with ``at_close`` first."""
        for closer in self._closers:
            if (closing := closer()) is not None:
                await closing
        self.plain_reader.close()
        self.plain_writer.close()
        for engine in {self._inline, self._losable} - {self.engine}:
            await engine.dispose()
        await self.engine.dispose()


@asynccontextmanager
async def _bounded(seconds: float) -> AsyncIterator[None]:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        silence = TimeoutError(f"the database did not answer within {seconds:g} s")
        raise OperationalError(None, None, silence) from error


def _postgres_engine(url: str) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        connect_args=_postgres_arguments(make_url(url)),
    )


def _postgres_arguments(url: URL) -> dict[str, Any]:
    """The driver's connect arguments. Those that DATABASE_URL sets itself are left out."""
    # Behind a transaction pooler a named prepared statement would be looked up in another session.
    unnamed = {"prepare_threshold": None}
    return unnamed | {name: value for name, value in SILENT_PEER.items() if name not in url.query}


async def insert_missing(session: AsyncSession, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose key does not exist yet; returns the number of inserted rows."""
    if not rows:
        return 0
    statement = dialect_insert(session, table).on_conflict_do_nothing()
    connection = await session.connection()  # one prepared statement for all rows, however many they are
    if connection.dialect.name == "sqlite":
        return int((await connection.execute(statement, [dict(row) for row in rows])).rowcount)
    made = await connection.execute(statement.returning(literal(1)), [dict(row) for row in rows])
    return len(made.all())  # of many rows the driver does not say how many were new


def dialect_insert(session: AsyncSession, table: type[SQLModel]) -> Any:
    """An ``INSERT`` of the session's dialect that supports ``ON CONFLICT``."""
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(table)
