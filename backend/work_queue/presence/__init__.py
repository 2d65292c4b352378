"""A process's presence: held as long as its process lives, taken back by the system when it dies, seen by the others.

On PostgreSQL an advisory lock of a session, on SQLite a locked file beside the database. Either is a shorter wait for
a dead worker's accounts, nothing more: where it is lacking the lease alone decides, and fences exclude in any case.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from backend.storage.db import Database
from backend.work_queue.presence.advisory_lock import LockSession
from backend.work_queue.presence.lock_file import LockFile, beside

TRY_SECONDS = 5.0
Randomness = Callable[[int], bytes]


class Presence(Protocol):
    @property
    def lock(self) -> int:
        """What is held now; 0 = nothing, and only the lease tells that we live."""

    async def dead(self, locks: Collection[int]) -> set[int]:
        """Those of ``locks`` that nobody holds any more."""


@asynccontextmanager
async def present(database: Database, news: asyncio.Event, randomness: Randomness) -> AsyncIterator[Presence]:
    """Held until the block ends. ``news`` is set when another process says that there is work (PostgreSQL)."""
    number = 1 + int.from_bytes(randomness(4), "big") % (2**31 - 1)
    if database.is_sqlite:
        with beside(database.engine.url.database, number) as held:
            yield held
        return
    session = LockSession(database, news, number)
    keeping = asyncio.create_task(session.keep())
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(session.tried.wait(), TRY_SECONDS)
        yield session
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


__all__ = ["LockFile", "LockSession", "Presence", "present"]
