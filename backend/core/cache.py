"""Typed, bounded caches in the memory of a process. A room declares a ``CacheSpec`` for each use."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from backend.core.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, eq=False)
class CacheSpec(Generic[K, V]):
    """One use of a cache: keys K, values V (never None), fresh for ``seconds``, at most ``most`` entries.

    ``stale_seconds``: how much longer ``last_known`` returns a value. Specs are compared by identity, so each
    constant is a cache of its own.
    """

    seconds: float
    most: int
    stale_seconds: float = 0.0


class Cache(Generic[K, V]):
    """Values by key, for a limited time. A full cache drops its oldest entry, never all of them."""

    def __init__(self, spec: CacheSpec[K, V], clock: Clock) -> None:
        self._spec, self._clock = spec, clock
        self._entries: dict[K, tuple[float, V]] = {}
        self._locks: WeakValueDictionary[K, asyncio.Lock] = WeakValueDictionary()

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value while it is fresh, else None."""
        return self._within(key, 0.0)

    def last_known(self, key: K) -> V | None:
        """Return the value while it is fresh or stale, else None; for a caller whose source is unreachable."""
        return self._within(key, self._spec.stale_seconds)

    def put(self, key: K, value: V, seconds: float | None = None) -> None:
        """Store a value for ``seconds``, or for the time that the spec gives; a full cache drops its oldest entry."""
        self._entries.pop(key, None)
        if len(self._entries) >= self._spec.most:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (self._clock() + (self._spec.seconds if seconds is None else seconds), value)

    async def load(self, key: K, fetch: Callable[[], Awaitable[V]]) -> V:
        """Return the fresh value, or fetch and store it. Callers of one key share one fetch; other keys do not wait."""
        async with self._lock(key):
            known = self.get(key)
            if known is None:
                known = await fetch()
                self.put(key, known)
            return known

    def _within(self, key: K, stale_seconds: float) -> V | None:
        until, value = self._entries.get(key, (0.0, None))
        return value if until + stale_seconds > self._clock() else None

    @asynccontextmanager
    async def _lock(self, key: K) -> AsyncIterator[None]:
        """Hold the key's lock. The weak dictionary drops a lock with its last holder, so the locks need no bound."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield


class Caches:
    """All caches of one process, created at their first use."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: dict[CacheSpec[Any, Any], Cache[Any, Any]] = {}

    def __getitem__(self, spec: CacheSpec[K, V]) -> Cache[K, V]:
        return self._made.setdefault(spec, Cache(spec, self._clock))
