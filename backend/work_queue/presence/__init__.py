"""A process's presence: a lock that it holds while it lives, that the system releases at its death, and others can see.

It is a session's advisory lock on PostgreSQL and a locked file next to the database on SQLite. Either only shortens the
wait for a dead worker's accounts: without it the lease alone decides, and fences exclude in any case.
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
    """The presence of this process, and its view of the others."""

    @property
    def lock(self) -> int:
        """The number of the lock held now; 0: none, so that only the lease shows that this process lives."""

    async def dead(self, locks: Collection[int]) -> set[int]:
        """Those of ``locks`` that no process holds any more."""


@asynccontextmanager
async def present(database: Database, news: asyncio.Event, randomness: Randomness) -> AsyncIterator[Presence]:
    """Yield this process's presence, held until the block ends.

    ``news`` is set when another process announces work (PostgreSQL only). ``randomness``: count → that many random
    bytes. If the lock cannot be taken within 5 seconds, the block starts without it.
    """
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
