"""A separate lane for unauthenticated callers, so that their calls to Kommo delay nobody else."""

import asyncio

from backend.core.clock import Clock
from backend.core.errors import LaneFull
from backend.core.sentences.said import said

EVERY_SECONDS = 2.0
MOST_WAITING = 4


class UnprovenLane:
    """One call every two seconds per process; four callers may wait, and the next one gets ``LaneFull``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = asyncio.Lock()
        self._waiting = 0
        self._free_at = 0.0

    def check(self) -> None:
        """Raise ``LaneFull`` if no more callers may wait. Call it before reading anything for the caller."""
        if self._waiting >= MOST_WAITING:
            raise LaneFull(said("calls_from_everywhere"))

    async def enter(self) -> None:
        """Wait for the caller's turn. Raises ``LaneFull``."""
        self.check()
        self._waiting += 1
        try:
            async with self._order:
                wait = self._free_at - self._clock()
                if 0 < wait <= EVERY_SECONDS:  # longer: the clock was set back
                    await asyncio.sleep(wait)
                self._free_at = self._clock() + EVERY_SECONDS
        finally:
            self._waiting -= 1
