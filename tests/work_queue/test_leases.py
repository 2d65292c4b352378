"""Claim, fence and release, on both databases."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from backend.storage.db import Database
from backend.storage.models import AccountWork, Deal
from backend.work_queue.leases import (
    LEASE_SECONDS,
    LeaseLost,
    check,
    claim,
    fence,
    free,
    hand_back,
    heartbeat,
    held_locks,
    release,
)
from backend.work_queue.wakeups import mark_dirty, request_work

NOW = 1_800_000_000.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def _want(database: Database, account_id: int = 1) -> None:
    async with database.write() as session:
        await request_work(session, account_id)


async def test_there_is_nothing_to_claim_where_nothing_is_wanted(database: Database) -> None:
    assert await claim(database, "a", NOW) is None


async def test_a_claimed_account_is_taken(database: Database) -> None:
    await _want(database)
    assert await claim(database, "a", NOW) is not None
    assert await claim(database, "b", NOW) is None


async def test_one_of_many_workers_gets_an_account(database: Database) -> None:
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


async def test_a_worker_that_slept_past_its_lease_writes_nothing(database: Database) -> None:
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


async def test_a_moment_that_has_passed_is_now(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await release(database, taken, wake_at=0.0)
    assert await claim(database, "a", NOW) is not None


async def test_a_worker_that_dies_after_a_wakeup_leaves_the_wakeup_for_the_next(database: Database) -> None:
    """Nothing new is wanted: only the moment says that there is work."""
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await release(database, taken, wake_at=NOW + 50)
    assert await claim(database, "a", NOW + 50) is not None
    assert await claim(database, "b", NOW + 50 + LEASE_SECONDS + 1) is not None


async def test_accounts_of_the_dead_are_free_at_once_and_others_are_not(database: Database) -> None:
    for account_id in (1, 2):
        await _want(database, account_id)
    dead, alive = await claim(database, "a", NOW, lock=5), await claim(database, "b", NOW, lock=6)
    assert dead is not None
    assert alive is not None
    assert await held_locks(database, NOW) == {5, 6}
    await free(database, {5}, NOW)
    taken = await claim(database, "b", NOW, lock=6)
    assert taken is not None
    assert taken.account_id == dead.account_id
    assert await claim(database, "c", NOW) is None
    with pytest.raises(LeaseLost):
        await check(database, dead, NOW)


async def test_the_account_that_waited_longest_is_served_first(database: Database) -> None:
    for account_id in (1, 2, 3):
        await _want(database, account_id)
    served = []
    for moment in range(6):
        taken = await claim(database, "a", NOW + moment)
        assert taken is not None
        served.append(taken.account_id)
        await hand_back(database, taken, next_try_at=0.0)
    assert served == [1, 2, 3, 1, 2, 3]


async def test_a_lease_that_is_about_to_run_out_is_extended_before_a_call(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW)
    assert taken is not None
    await check(database, taken, NOW + LEASE_SECONDS - 1)
    assert await claim(database, "b", NOW + LEASE_SECONDS + 1) is None


async def test_every_claim_raises_the_epoch(database: Database) -> None:
    await _want(database)
    for _ in range(3):
        taken = await claim(database, "a", NOW)
        assert taken is not None
        await hand_back(database, taken, next_try_at=0.0)
    async with database.read() as session:
        assert (await session.get_one(AccountWork, 1)).epoch == 3


async def test_news_of_a_deal_and_its_writer_never_wait_for_each_other(database: Database) -> None:
    async def news() -> None:
        async with database.write() as session:
            await mark_dirty(session, 1, [7], NOW)

    await news()
    taken = await claim(database, "a", NOW)
    assert taken is not None
    async with database.write() as session:
        await fence(session, taken, NOW)
        more = asyncio.create_task(news())
        await asyncio.sleep(0.2)  # they are in the middle of it by now
        await session.exec(update(Deal).values(written=1))
    await more
    async with database.read() as session:
        deal = await session.get_one(Deal, (1, 7))
    assert (deal.wanted, deal.written) == (2, 1)


HOURS = 3 * 3600.0


async def test_what_a_clock_three_hours_ahead_has_stored_holds_up_nobody(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW + HOURS)
    assert taken is not None
    assert await held_locks(database, NOW) == set()
    again = await claim(database, "b", NOW)
    assert again is not None, "the lease counts as past"
    await hand_back(database, again, next_try_at=NOW + HOURS)
    woken = await claim(database, "c", NOW)
    assert woken is not None, "so do the moment of the next try and of waking"
    await release(database, woken, wake_at=NOW + HOURS)
    assert await claim(database, "d", NOW) is not None


async def test_a_lease_of_a_host_whose_clock_is_a_little_ahead_holds(database: Database) -> None:
    await _want(database)
    assert await claim(database, "a", NOW + 20) is not None
    assert await claim(database, "b", NOW) is None


async def test_an_owner_whose_clock_was_set_right_renews_its_lease(database: Database) -> None:
    await _want(database)
    taken = await claim(database, "a", NOW + HOURS)
    assert taken is not None
    await check(database, taken, NOW)
    assert await claim(database, "b", NOW) is None
