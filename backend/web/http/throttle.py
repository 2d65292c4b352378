"""Counters and rate limits per address or user, each process for itself.

The limit on unknown links is a speed bump, not a defence: with 80 random bits there is nothing to guess. Existing links
are always opened, since many clients may share one address, so each try still costs a query.
"""

from collections import Counter
from ipaddress import IPv4Address, IPv6Network, ip_address

from fastapi import Request
from fastapi.requests import HTTPConnection

from backend.core.clock import Clock
from backend.resources import Resources

MINUTE = 60
LIMIT = 30
IN_ALL = 300
LONGEST_ADDRESS = 64
"""Of what a trusted proxy forwards and is no address."""


class MinuteCounter:
    """Counts keys for a minute from the first one; the first after it starts at zero.

    Not the clock's own minute: a burst that crosses its end would count as two.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = 0.0
        self._counted: Counter[str] = Counter()

    def add(self, key: str) -> int:
        """Count ``key`` and return how often it was added in this minute, this time included."""
        counted = self._present()
        counted[key] += 1
        return counted[key]

    def total(self) -> int:
        """Return how many were added in this minute over all keys."""
        return self._present().total()

    def _present(self) -> Counter[str]:
        now = self._clock()
        if not self._began <= now < self._began + MINUTE:
            self._began, self._counted = now, Counter()
        return self._counted


class MissThrottle:
    """Counts failed look-ups in the current minute: per address, and over all addresses."""

    def __init__(self, clock: Clock) -> None:
        self._misses = MinuteCounter(clock)

    def miss(self, address: str) -> bool:
        """Count a miss and return whether the address, or all together, had too many in this minute."""
        return self.count(address) > LIMIT

    def count(self, address: str) -> int:
        """Count a miss and return its number in this minute for the address.

        Above ``LIMIT`` once all addresses together have too many.
        """
        if self._misses.total() >= IN_ALL:
            return LIMIT + 1
        return self._misses.add(address)


def address_of(request: HTTPConnection) -> str:
    """Return the request's address for counting; for IPv6 the /64 network, since one customer has a whole one.

    An IPv4 address that is written as IPv6 (``::ffff:203.0.113.7``) counts by itself: all of them are in one network.
    """
    host = request.client.host if request.client else ""
    try:
        known = ip_address(host)
    except ValueError:
        return host[:LONGEST_ADDRESS]
    ipv4 = known if isinstance(known, IPv4Address) else known.ipv4_mapped
    return str(ipv4 or IPv6Network((int(known), 64), strict=False))


def guesses(request: Request, resources: Resources) -> MissThrottle:
    """Return the application's throttle for links that do not exist."""
    state = request.app.state
    if not hasattr(state, "guesses"):
        state.guesses = MissThrottle(resources.clock)
    counted: MissThrottle = state.guesses
    return counted


class Buckets:
    """Token buckets: each key has ``burst`` calls at once, then ``rate`` a second. At most ``most`` keys are kept."""

    def __init__(self, clock: Clock, *, rate: float = 5.0, burst: float = 20.0, most: int = 10_000) -> None:
        self._clock, self._rate, self._burst, self._most = clock, rate, burst, most
        self._left: dict[tuple[int, int], tuple[float, float]] = {}

    def take(self, key: tuple[int, int]) -> bool:
        """Take one call from the key's bucket and return whether it had one.

        The least recently used key is dropped first.
        """
        now = self._clock()
        left, at = self._left.pop(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - at) * self._rate)
        if len(self._left) >= self._most:
            del self._left[next(iter(self._left))]
        self._left[key] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0
