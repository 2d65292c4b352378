"""Claim, fence and release, on both databases."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from backend.db import Database
from backend.leases import LEASE_SECONDS, LeaseLost, claim, fence, hand_back, heartbeat, release
from backend.migrations import upgrade
from backend.models import AccountWork
from backend.wakeups import want

NOW = 1_800_000_000.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await upgrade(database)
    yield database
    await database.close()


async def _want(database: Database, account_id: int = 1) -> None:
    async with database.write() as session:
        await want(session, account_id)


async def test_there_is_nothing_to_claim_where_nothing_is_wanted(database: Database) -> None:
    assert await claim(database, "a", NOW) is None


async def test_a_claimed_account_is_taken(database: Database) -> None:
    await _want(database)
    assert await claim(database, "a", NOW) is not None
    assert await claim(database, "b", NOW) is None


async def test_of_many_who_want_it_one_gets_it(database: Database) -> None:
    await _want(database)
    claims = await asyncio.gather(*(claim(database, f"w{n}", NOW) for n in range(8)))
    assert sum(one is not None for one in claims) == 1


async def test_released_work_is_done(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await release(database, taken, wake_at=None)
    assert await claim(database, "a", NOW) is None


async def test_what_is_wanted_during_a_job_is_wanted_after_it(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await _want(database)
    await release(database, taken, wake_at=None)
    assert await claim(database, "b", NOW) is not None


async def test_a_dead_owner_is_taken_over_when_its_lease_is_out(database: Database) -> None:
    await _want(database)
    await claim(database, "a", NOW)
    assert await claim(database, "b", NOW + LEASE_SECONDS - 1) is None
    assert await claim(database, "b", NOW + LEASE_SECONDS + 1) is not None


async def test_who_slept_past_its_lease_writes_nothing(database: Database) -> None:
    await _want(database)
    sleeper = await claim(database, "a", NOW)
    await claim(database, "b", NOW + LEASE_SECONDS + 1)
    assert sleeper is not None
    with pytest.raises(LeaseLost):
        async with database.write() as session:
            await fence(session, sleeper, NOW + LEASE_SECONDS + 2)


async def test_the_same_owner_can_not_write_with_an_older_epoch(database: Database) -> None:
    await _want(database)
    first = await claim(database, "a", NOW)
    second = await claim(database, "a", NOW + LEASE_SECONDS + 1)
    assert first is not None
    assert second is not None
    with pytest.raises(LeaseLost):
        await heartbeat(database, first, NOW + LEASE_SECONDS + 2)


async def test_a_late_heartbeat_does_not_revive_a_released_lease(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await release(database, taken, wake_at=None)
    with pytest.raises(LeaseLost):
        await heartbeat(database, taken, NOW + 1)


async def test_a_failed_job_is_tried_again_at_its_time(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await hand_back(database, taken, next_try_at=NOW + 10)
    assert await claim(database, "b", NOW + 9) is None
    assert await claim(database, "b", NOW + 10) is not None


async def test_an_account_wakes_at_its_moment_though_nothing_new_is_wanted(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await release(database, taken, wake_at=NOW + 50)
    assert await claim(database, "a", NOW + 49) is None
    assert await claim(database, "a", NOW + 50) is not None


async def test_every_claim_raises_the_epoch(database: Database) -> None:
    await _want(database)
    for _ in range(3):
        taken = await claim(database, "a", NOW)
        assert taken is not None
        await hand_back(database, taken, next_try_at=0.0)
    async with database.read() as session:
        assert (await session.get_one(AccountWork, 1)).epoch == 3
