"""The order of writes: on SQLite one unit of work of this process at a time, and incoming webhooks before all others.

SQLite itself gives its lock to the next caller that happens to ask: a worker that writes one unit after another would
make the webhook endpoint wait for seconds.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class WriteTurns:
    """A lock whose waiters come in order, those that asked to be ``first`` before the others."""

    def __init__(self) -> None:
        self._is_taken = False
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, first: bool = False, seconds: float | None = None) -> AsyncIterator[None]:
        """Hold the lock inside the block. Raises ``TimeoutError`` if the turn does not come within ``seconds``."""
        if self._is_taken:
            await self._wait(self._first if first else self._others, seconds)
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, queue: deque[asyncio.Future[None]], seconds: float | None) -> None:
        ours: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(ours)
        try:
            async with asyncio.timeout(seconds):
                await ours
        except BaseException:
            if ours.done() and not ours.cancelled():  # the turn came, but this caller is gone
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Pass the lock to the next waiter without releasing it, so that no other caller gets in between."""
        for queue in (self._first, self._others):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._is_taken = False
