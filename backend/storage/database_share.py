"""A share of the database's connections: what the web does at once is bounded, so the rest finds a connection free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import Unavailable
from backend.storage.db import POOL_SECONDS, UNIT_SECONDS, Database

BUSY = "The server has too much to do at this moment. Try again in a moment."
_has_place: ContextVar[bool] = ContextVar("has_place", default=False)


class DatabaseShare(Database):
    """The same database, of which at most ``most`` units of work are open at once.

    ``most_waiting`` more wait, for at most ``seconds``; all others raise ``Unavailable``. A unit that is begun inside
    another needs no second place.
    """

    def __init__(self, whole: Database, most: int, *, most_waiting: int = 200, seconds: float = POOL_SECONDS) -> None:
        self.engine = whole.engine
        self.is_sqlite = whole.is_sqlite
        self.turns = whole.turns
        self._whole = whole
        self.plain_reader = whole.plain_reader
        self._places = asyncio.Semaphore(most)
        self._most_waiting = most_waiting
        self._seconds = seconds
        self._waiting = 0

    @asynccontextmanager
    async def read(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        async with self._place(), self._whole.read(seconds) as session:
            yield session

    @asynccontextmanager
    async def look(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """On SQLite it is over before anybody else's turn comes, and needs no place."""
        async with _nothing() if self.is_sqlite else self._place(), self._whole.look(seconds) as session:
            yield session

    @asynccontextmanager
    async def write(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        async with self._place(), self._whole.write(seconds) as session:
            yield session

    def _place(self) -> AbstractAsyncContextManager[None]:
        return _nothing() if _has_place.get() else self._own_place()

    @asynccontextmanager
    async def _own_place(self) -> AsyncIterator[None]:
        await self._enter()
        _has_place.set(True)
        try:
            yield
        finally:
            _has_place.set(False)
            self._places.release()

    async def _enter(self) -> None:
        if self._waiting >= self._most_waiting:
            raise Unavailable(BUSY)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError:
            raise Unavailable(BUSY) from None
        finally:
            self._waiting -= 1


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield
