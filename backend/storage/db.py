"""The database: engine, units of work, and the few statements that SQLite and PostgreSQL spell differently."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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

from backend.storage.inline_sqlite import PlainReader
from backend.storage.sqlite_engine import BUSY_SECONDS, inline_engine, threaded_engine
from backend.storage.write_turns import WriteTurns

ASLEEP_SECONDS = 15
"""No unit of work waits for anything but the database."""
UNIT_SECONDS = 120.0
"""Far more than any unit of work takes on PostgreSQL: a server that says nothing for so long is given up."""
POOL_SECONDS = 10.0
SILENT_PEER: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""libpq's words for how soon a server that vanished without closing its connections is noticed."""


class Database:
    """``read`` sees one state; ``write`` is one unit of work, committed when the block ends without an error.

    On SQLite a unit that may write begins IMMEDIATE: two of them never fail on each other half-way, they queue.
    Committed is durable: a PostgreSQL that is told to answer before its log is on the disk is told otherwise.
    """

    def __init__(self, url: str) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = threaded_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._inline = inline_engine(url) if self.is_sqlite else self.engine
        self.turns = WriteTurns()
        self._is_lazy = False
        self.plain_reader = PlainReader(self.connect_words)
        self._closers: list[Callable[[], Awaitable[None] | None]] = []
        if not self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", self._prepare_postgres)

    def _prepare_postgres(self, connection: Any, _record: Any) -> None:
        """Whoever falls asleep inside a unit, or whose host vanishes there, is thrown out: its rows are free again."""
        cursor = connection.cursor()
        cursor.execute("SHOW synchronous_commit")
        self._is_lazy = cursor.fetchone()[0] == "off"
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{ASLEEP_SECONDS}s'")
        cursor.close()
        connection.commit()

    @asynccontextmanager
    async def bounded(self, seconds: float) -> AsyncIterator[None]:
        """Raises ``OperationalError`` where the block takes longer than ``seconds``; a statement of it that runs is
        cancelled at the server. SQLite bounds its only wait, the one for its lock, by itself."""
        limit = asyncio.timeout(None if self.is_sqlite else seconds)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            silence = TimeoutError(f"the database did not answer within {seconds:g} s")
            raise OperationalError(None, None, silence) from error

    @asynccontextmanager
    async def read(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        async with self.bounded(seconds), AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def look(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """As ``read``, for reads of a few rows that people wait for: on SQLite they run on the event loop."""
        async with self.bounded(seconds), AsyncSession(self._inline, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        async with self.bounded(seconds), self._turn(), AsyncSession(self.engine, expire_on_commit=False) as session:
            connection = await session.connection(execution_options={"may_write": True})
            if self._is_lazy:  # for this unit only: what a session is told gets lost behind a pooler by transaction
                await connection.exec_driver_sql("SET LOCAL synchronous_commit TO on")
            yield session
            await session.commit()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """On SQLite: this unit's turn among all that this process writes. Raises ``OperationalError``."""
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
        """A connection outside the pool, each statement committed by itself; for what a session holds (PostgreSQL)."""
        engine = create_async_engine(
            self.engine.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={} if self.is_sqlite else _postgres_arguments(self.engine.url),
        )
        async with engine.connect() as connection:
            yield connection

    def close_to_others(self) -> None:
        """Takes a SQLite database that anybody on this machine may read away from all but its owner.

        One that a group was given, and others not, was given so by somebody: it stays.
        """
        path = Path(self.engine.url.database or "") if self.is_sqlite else None
        if path is None or not path.is_file():
            return
        for file in (path, *path.parent.glob(f"{path.name}-*")):
            mode = file.stat().st_mode
            if mode & stat.S_IRWXO:
                file.chmod(stat.S_IMODE(mode) & stat.S_IRWXU)

    def at_close(self, closer: Callable[[], Awaitable[None] | None]) -> None:
        """``closer`` ends a connection that is not the engine's."""
        self._closers.append(closer)

    def connect_words(self) -> tuple[Sequence[Any], dict[str, Any]]:
        """The arguments with which the engine's driver connects, for a connection beside the engine's."""
        words, options = self.engine.dialect.create_connect_args(self.engine.url)
        return words, {**options, **({} if self.is_sqlite else _postgres_arguments(self.engine.url))}

    async def close(self) -> None:
        for closer in self._closers:
            if (closing := closer()) is not None:
                await closing
        self.plain_reader.close()
        if self._inline is not self.engine:
            await self._inline.dispose()
        await self.engine.dispose()


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
    """What DATABASE_URL says by itself is left to it."""
    # Statements prepared by name would be looked for in another session behind a pooler that lends by transaction.
    unnamed = {"prepare_threshold": None}
    return unnamed | {name: value for name, value in SILENT_PEER.items() if name not in url.query}


async def insert_missing(session: AsyncSession, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose key is not there yet; the number that were new."""
    if not rows:
        return 0
    statement = dialect_insert(session, table).on_conflict_do_nothing()
    connection = await session.connection()  # one prepared statement for all rows, however many they are
    if connection.dialect.name == "sqlite":
        return int((await connection.execute(statement, [dict(row) for row in rows])).rowcount)
    made = await connection.execute(statement.returning(literal(1)), [dict(row) for row in rows])
    return len(made.all())  # of many rows the driver does not say how many were new


def dialect_insert(session: AsyncSession, table: type[SQLModel]) -> Any:
    """``INSERT … ON CONFLICT`` in the words of the database at hand."""
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(table)
