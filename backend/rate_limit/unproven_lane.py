"""A lane of its own for callers who have proven nothing: what they cause at Kommo delays nobody else."""

import asyncio

from backend.core.clock import Clock
from backend.core.errors import LaneFull

EVERY_SECONDS = 2.0
MOST_WAITING = 4


class UnprovenLane:
    """One call in two seconds in this process; four callers wait, the next is ``LaneFull``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = asyncio.Lock()
        self._waiting = 0
        self._free_at = 0.0

    def check(self) -> None:
        """Raises ``LaneFull`` where no more can wait: to be asked before anything is read for the caller."""
        if self._waiting >= MOST_WAITING:
            raise LaneFull("Too many such calls arrive at this moment. Nothing was done; try again in a few seconds.")

    async def enter(self) -> None:
        """Returns when it is the caller's turn."""
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
