"""How often an address asked for what does not exist: thirty times a minute, in each process by itself.

It tells guessers off, no more: with 80 random bits there is nothing to guess. Links that exist are always opened, for
many clients may come from one address; so the database is asked all the same.
"""

from collections import Counter
from ipaddress import ip_network

from fastapi import Request
from fastapi.requests import HTTPConnection

from backend.core.clock import Clock
from backend.resources import Resources

MINUTE = 60
LIMIT = 30
IN_ALL = 300


class MinuteCounter:
    """Counts keys in the present minute, in each process by itself; a new minute begins at nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = 0
        self._counted: Counter[str] = Counter()

    def add(self, key: str) -> int:
        """How often the key was added in this minute, this time included."""
        counted = self._present()
        counted[key] += 1
        return counted[key]

    def total(self) -> int:
        return self._present().total()

    def _present(self) -> Counter[str]:
        minute = int(self._clock() // MINUTE)
        if minute != self._minute:
            self._minute, self._counted = minute, Counter()
        return self._counted


class MissThrottle:
    """Counts misses for each address, and over all addresses, in the present minute."""

    def __init__(self, clock: Clock) -> None:
        self._misses = MinuteCounter(clock)

    def miss(self, address: str) -> bool:
        """Count a miss; True when there were too many of them in this minute."""
        return self.count(address) > LIMIT

    def count(self, address: str) -> int:
        """Count a miss: its number among those of this address; beyond the limit once all together are too many."""
        if self._misses.total() >= IN_ALL:
            return LIMIT + 1
        return self._misses.add(address)


def address_of(request: HTTPConnection) -> str:
    """Where the request came from, for counting: of IPv6 the network, since one customer has a whole one."""
    host = request.client.host if request.client else ""
    try:
        return str(ip_network((host, 64), strict=False)) if ":" in host else host
    except ValueError:
        return host


def guesses(request: Request, resources: Resources) -> MissThrottle:
    state = request.app.state
    if not hasattr(state, "guesses"):
        state.guesses = MissThrottle(resources.clock)
    counted: MissThrottle = state.guesses
    return counted


class Buckets:
    """A bucket of calls for each key: ``burst`` at once, then ``rate`` a second. At most ``most`` keys are known."""

    def __init__(self, clock: Clock, *, rate: float = 5.0, burst: float = 20.0, most: int = 10_000) -> None:
        self._clock, self._rate, self._burst, self._most = clock, rate, burst, most
        self._left: dict[tuple[int, int], tuple[float, float]] = {}

    def take(self, key: tuple[int, int]) -> bool:
        """Take one call from the key's bucket; False when it is empty. The key used longest ago is forgotten first."""
        now = self._clock()
        left, at = self._left.pop(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - at) * self._rate)
        if len(self._left) >= self._most:
            del self._left[next(iter(self._left))]
        self._left[key] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0
