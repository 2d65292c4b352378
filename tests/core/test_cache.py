"""A cache is bounded, each use has its own, and one slow key delays no other."""

import asyncio

from backend.core.cache import Caches, CacheSpec
from sandbox.clock import MovableClock

NAMES = CacheSpec[int, str](60.0, most=3, stale_seconds=600.0)
PAUSES = CacheSpec[int, bool](60.0, most=3)


def caches(clock: MovableClock | None = None) -> Caches:
    return Caches(clock or MovableClock())


def test_a_value_is_fresh_then_stale_then_gone() -> None:
    clock = MovableClock()
    cache = caches(clock)[NAMES]
    cache.put(1, "Ada")
    clock.advance(59)
    assert (cache.get(1), cache.last_known(1)) == ("Ada", "Ada")
    clock.advance(1)
    assert (cache.get(1), cache.last_known(1)) == (None, "Ada")
    clock.advance(600)
    assert (cache.get(1), cache.last_known(1)) == (None, None)


def test_one_value_may_be_kept_for_a_shorter_time() -> None:
    clock = MovableClock()
    cache = caches(clock)[NAMES]
    cache.put(1, "gone", 10)
    clock.advance(10)
    assert cache.get(1) is None


def test_a_full_cache_drops_its_oldest_entry_only() -> None:
    cache = caches()[NAMES]
    for number in range(3):
        cache.put(number, str(number))
    cache.put(0, "read again")  # the youngest now
    cache.put(3, "3")
    assert [cache.get(number) for number in range(4)] == ["read again", None, "2", "3"]
    for number in range(1000):
        cache.put(number, "flood")
        assert len(cache) <= 3


def test_a_flood_in_one_cache_leaves_the_others_alone() -> None:
    known = caches()
    known[PAUSES].put(7, True)
    for number in range(1000):
        known[NAMES].put(number, "flood")
    assert 7 in known[PAUSES]


async def test_callers_of_one_key_share_one_fetch() -> None:
    cache, fetched = caches()[NAMES], []

    async def fetch() -> str:
        fetched.append(1)
        await asyncio.sleep(0)
        return "Ada"

    assert await asyncio.gather(*(cache.load(1, fetch) for _ in range(5))) == ["Ada"] * 5
    assert len(fetched) == 1


async def test_a_slow_fetch_delays_its_own_key_only() -> None:
    cache, answered = caches()[NAMES], asyncio.Event()

    async def slow() -> str:
        await answered.wait()
        return "slow"

    async def quick() -> str:
        return "quick"

    waiting = [asyncio.ensure_future(cache.load(1, fetch)) for fetch in (slow, quick)]
    await asyncio.sleep(0)
    assert await cache.load(2, quick) == "quick"
    assert not any(one.done() for one in waiting)
    answered.set()
    assert await asyncio.gather(*waiting) == ["slow", "slow"]


async def test_after_a_failed_fetch_the_next_caller_fetches() -> None:
    cache = caches()[NAMES]

    async def fail() -> str:
        await asyncio.sleep(0)
        raise OSError

    async def fetch() -> str:
        return "Ada"

    outcomes = await asyncio.gather(cache.load(1, fail), cache.load(1, fetch), return_exceptions=True)
    assert (type(outcomes[0]), outcomes[1]) == (OSError, "Ada")
