"""Whose turn it is to write: on SQLite one unit of work of this process at a time, and the door's before all others.

SQLite itself lets whoever asks at the right moment have its lock: a worker that writes one unit after another leaves
the door waiting for seconds.
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
        """Raises ``TimeoutError`` where the turn did not come within ``seconds``."""
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
            if ours.done() and not ours.cancelled():  # it came, and nobody is there to take it
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """The lock stays taken for the next in line, so that nobody slips in between."""
        for queue in (self._first, self._others):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._is_taken = False
