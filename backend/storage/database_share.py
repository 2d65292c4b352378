"""A share of the database's connections: the web's concurrent use is bounded, so that other work finds a connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import Unavailable
from backend.core.sentences.said import said
from backend.storage.db import POOL_SECONDS, UNIT_SECONDS, Database

BUSY = said("server_busy")
_has_place: ContextVar[bool] = ContextVar("has_place", default=False)


class DatabaseShare(Database):
    """The same database with at most ``most`` units of work open at once.

    ``most_waiting`` more wait for at most ``seconds``; all others raise ``Unavailable``. A unit inside another one
    needs no second place.
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
        """As ``Database.read``, in one of the places. Raises ``Unavailable``."""
        async with self._place(), self._whole.read(seconds) as session:
            yield session

    @asynccontextmanager
    async def look(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """As ``Database.look``. On SQLite it needs no place, because it ends before the event loop does anything
        else."""
        async with _nothing() if self.is_sqlite else self._place(), self._whole.look(seconds) as session:
            yield session

    @asynccontextmanager
    async def write(self, seconds: float = UNIT_SECONDS) -> AsyncIterator[AsyncSession]:
        """As ``Database.write``, in one of the places. Raises ``Unavailable``."""
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
