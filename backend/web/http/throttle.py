"""How often an address asked for links that do not exist: thirty a minute, in each process by itself.

It tells guessers off, no more: with 80 random bits there is nothing to guess. Links that exist are always opened, for
many clients may come from one address; so the database is asked all the same.
"""

from collections import Counter

from fastapi import Request

from backend.core.clock import Clock
from backend.resources import Resources

MINUTE = 60
LIMIT = 30


class MissThrottle:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = 0
        self._misses: Counter[str] = Counter()

    def miss(self, address: str) -> bool:
        """Count a miss; True when there were too many of them in this minute."""
        minute = int(self._clock() // MINUTE)
        if minute != self._minute:
            self._minute, self._misses = minute, Counter()
        self._misses[address] += 1
        return self._misses[address] > LIMIT


def guesses(request: Request, resources: Resources) -> MissThrottle:
    state = request.app.state
    if not hasattr(state, "guesses"):
        state.guesses = MissThrottle(resources.clock)
    counted: MissThrottle = state.guesses
    return counted
