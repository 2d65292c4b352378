"""Who may ask Kommo when: slots that several processes take from one database."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from backend.core.clock import SKEW_SECONDS
from backend.kommo_api.errors import KommoBlocked, KommoConnectionError, KommoError, KommoRateLimited
from backend.rate_limit.limiter import LATE_SECONDS, Pace
from backend.rate_limit.store import FIRST_CALLS, put_off, take
from backend.storage.db import Database
from backend.storage.migrations import upgrade
from sandbox.clock import MovableClock

ACCOUNT, OTHER = 31000001, 31000002
DEFAULTS = {"account_rate": 6.0, "address_rate": 7.0}
NETWORK_JITTER = 0.1
CALLERS = 30


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@asynccontextmanager
async def processes(url: str, clock: MovableClock, count: int, **rates: float) -> AsyncIterator[list[Pace]]:
    """Each with its own connections, as processes have them; in one loop, for their moments to be compared."""
    async with AsyncExitStack() as stack:
        databases = [Database(url) for _ in range(count)]
        for database in databases:
            stack.push_async_callback(database.close)
        await upgrade(databases[0])
        yield [Pace(database, clock, **(DEFAULTS | rates)) for database in databases]


@pytest.fixture
async def pace(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Pace]:
    async with processes(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock, 1, account_rate=100, address_rate=200) as (
        one,
    ):
        yield one


async def ask(pace: Pace, account: int = ACCOUNT, error: KommoError | None = None, *, backlog: bool = False) -> None:
    async with pace.turn(account, backlog=backlog):
        if error is not None:
            raise error


async def failure(pace: Pace, account: int = ACCOUNT, error: KommoError | None = None) -> KommoError:
    with pytest.raises(KommoError) as caught:
        await ask(pace, account, error)
    return caught.value


def most_in(seconds: float, moments: list[float]) -> int:
    return max(sum(first <= moment < first + seconds for moment in moments) for first in moments)


async def test_no_second_as_kommo_sees_it_holds_an_eighth_request(database_url: str, clock: MovableClock) -> None:
    """Two processes, three accounts, people and backlog, all at once; the network shifts each by up to 100 ms."""
    moments: list[float] = []

    async def many(pace: Pace, account: int, backlog: bool) -> None:
        for _ in range(3):
            async with pace.turn(account, backlog=backlog):
                moments.append(clock())

    async with processes(database_url, clock, 2) as paces:
        await asyncio.gather(*(many(pace, a, b) for pace in paces for a, b in ((1, True), (2, True), (3, False))))
    assert len(moments) == 18
    assert most_in(1 + NETWORK_JITTER, moments) <= 7


async def test_the_first_requests_are_spaced_like_all_others(pace: Pace, clock: MovableClock) -> None:
    moments: list[float] = []

    async def one() -> None:
        async with pace.turn(ACCOUNT, backlog=True):
            moments.append(clock())

    await asyncio.gather(*(one() for _ in range(12)))
    assert moments[-1] - moments[0] >= 11 / 100 - 0.05


async def test_the_calls_of_a_lone_payment_do_not_wait_for_each_other(tmp_path: Path, clock: MovableClock) -> None:
    """Three calls after a silence go at once, the fourth takes its place in the row of slots."""
    async with processes(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock, 1, account_rate=2, address_rate=2) as (pace,):
        moments = []
        for _ in range(3):
            await ask(pace, backlog=True)
            moments.append(clock())
        assert moments[1] - moments[0] < 0.2
        assert 0.9 < moments[2] - moments[0] < 1.9


@pytest.mark.parametrize("rate", [0.5, 2.0, 6.0, 7.0])
async def test_no_second_holds_a_call_too_many_whenever_they_come(database_url: str, rate: float) -> None:
    database = Database(database_url)
    await upgrade(database)
    chance, now, moments = random.Random(7), 1_700_000_000.0, [0.0]
    for _ in range(400):
        now = max(now, moments[-1]) + chance.choice((0.0, 0.01, chance.uniform(0, 1 / rate), chance.uniform(0, 4)))
        slot = await take(database, 7, 1 / rate, now, ahead=10.0)
        assert slot is not None
        moments.append(slot.at)
    most = max(1, int(rate))
    spans = [moments[place + most] - moments[place] for place in range(1, len(moments) - most)]
    assert min(spans) > most / rate - 1e-6
    await database.close()


async def test_late_callers_after_a_silence_bring_no_eighth_request(database_url: str, clock: MovableClock) -> None:
    """The first callers are held up for longer than a slot may be late, so each may move the next slot."""
    moments: list[float] = []

    async def hold_up() -> None:
        if len(moments) < 5:
            await asyncio.sleep(LATE_SECONDS + 0.005)

    async with processes(database_url, clock, 1, account_rate=50) as (pace,):
        for _ in range(10):
            async with pace.turn(ACCOUNT, backlog=False, last_check=hold_up):
                moments.append(clock())
    assert most_in(1.0, moments) <= 7


async def test_a_late_use_of_one_of_the_first_calls_moves_no_slot_forward(database_url: str) -> None:
    database = Database(database_url)
    await upgrade(database)
    now, interval = 1_700_000_000.0, 1 / 7
    for _ in range(FIRST_CALLS):
        slot = await take(database, 7, interval, now, ahead=0.0)
    assert slot is not None
    async with database.write_losable() as session:
        late = await put_off(session, 7, slot, interval, now + LATE_SECONDS)
    following = await take(database, 7, interval, now + LATE_SECONDS, ahead=10.0)
    assert late is not None
    assert following is not None
    assert (late.at, following.at) == (now + LATE_SECONDS, slot.next_at)
    await database.close()


@pytest.mark.parametrize("set_back", [0.5, 30.0, 200.0, 10_800.0])
async def test_a_clock_that_was_set_back_brings_no_eighth_request(database_url: str, set_back: float) -> None:
    """Callers ask all the time until the clock is where the first call after the last silence was."""
    database = Database(database_url)
    await upgrade(database)
    began, moments = 1_700_000_000.0, []
    interval = 1 / 7
    await take(database, 7, interval, began, ahead=0.0)
    now = began - set_back
    await take(database, 7, interval, now, ahead=0.0)
    now = began - 2.0
    while now < began + 2.0:
        slot = await take(database, 7, interval, now, ahead=2 * interval)
        if slot is not None:
            moments.append(max(now, slot.at))
        now += interval / 4
    assert most_in(1.0 - 1e-6, moments) <= 7
    await database.close()


async def test_hosts_whose_clocks_differ_a_little_bring_no_eighth_request(postgres_url: str) -> None:
    """One host calls all the time. The other one's clock is ahead, so that the last call looks long ago to it."""
    database = Database(postgres_url)
    await upgrade(database)
    began, interval, moments = 1_700_000_000.0, 1 / 6, []
    for place in range(12):
        slot = await take(database, 7, interval, began + place * interval, ahead=interval)
        assert slot is not None
        moments.append(slot.at)
    for _ in range(3):
        now = moments[11] + 0.01 + SKEW_SECONDS - 1
        slot = await take(database, 7, interval, now, ahead=interval)
        if slot is not None:
            moments.append(slot.at - (SKEW_SECONDS - 1))
    assert most_in(1.0, moments) <= 7
    await database.close()


async def test_people_go_before_the_backlog(tmp_path: Path, clock: MovableClock) -> None:
    order: list[str] = []

    async def one(pace: Pace, who: str) -> None:
        async with pace.turn(ACCOUNT, backlog=who == "backlog"):
            order.append(who)

    async def person(pace: Pace) -> None:
        for _ in range(4):
            await one(pace, "person")

    database = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with processes(database, clock, 2, account_rate=10, address_rate=60) as (here, there):
        waiting = [asyncio.create_task(one(here, "backlog")) for _ in range(20)]
        await asyncio.sleep(0.1)
        await asyncio.gather(person(here), person(there), person(there))
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert order.count("person") == 12
    assert order.count("backlog") <= 9


async def test_accounts_share_the_address_evenly(tmp_path: Path, clock: MovableClock) -> None:
    order: list[int] = []

    async def many(pace: Pace, account: int, count: int) -> None:
        async def one() -> None:
            async with pace.turn(account, backlog=True):
                order.append(account)

        await asyncio.gather(*(one() for _ in range(count)))

    async with processes(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock, 1, account_rate=100, address_rate=20) as (
        pace,
    ):
        await asyncio.gather(many(pace, ACCOUNT, 12), many(pace, OTHER, 5))
    assert order[:10].count(OTHER) >= 4


async def test_many_callers_of_one_account_do_not_hold_up_another(tmp_path: Path, clock: MovableClock) -> None:
    order: list[int] = []

    async def one(pace: Pace, account: int) -> None:
        async with pace.turn(account, backlog=False):
            order.append(account)

    url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with processes(url, clock, 1, account_rate=100, address_rate=10) as (pace,):
        many = [asyncio.create_task(one(pace, ACCOUNT)) for _ in range(20)]
        await asyncio.sleep(0.5)
        before = len(order)
        await one(pace, OTHER)
        assert order.index(OTHER) - before <= 4
        for task in many:
            task.cancel()
        await asyncio.gather(*many, return_exceptions=True)


@pytest.mark.parametrize("attacked", [1, 2], ids=["one process", "both processes"])
async def test_many_callers_of_one_account_hold_up_no_other_of_another_process(
    database_url: str, clock: MovableClock, attacked: int
) -> None:
    """Processes know of each other by the rows alone; what is counted is slots, so a slow machine changes nothing."""
    order: list[int] = []

    async def one(pace: Pace, account: int) -> None:
        async with pace.turn(account, backlog=False):
            order.append(account)

    async with processes(database_url, clock, 2, account_rate=100, address_rate=10) as paces:
        many = [asyncio.create_task(one(pace, ACCOUNT)) for pace in paces[:attacked] for _ in range(CALLERS)]
        await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
        for _ in range(2):
            before = len(order)
            await one(paces[1], OTHER)
            assert len(order) - before <= CALLERS / 2  # in turn it is about four; last in line it would be 30 and more
        assert len(order) < CALLERS * attacked  # there were always others who waited
        for task in many:
            task.cancel()
        await asyncio.gather(*many, return_exceptions=True)


async def test_everybody_waits_as_long_as_kommo_asked(pace: Pace, clock: MovableClock) -> None:
    await failure(pace, error=KommoRateLimited(retry_after=200))
    assert isinstance(await failure(pace), KommoRateLimited)
    clock.advance(199)
    assert 0 < (await failure(pace)).retry_after <= 2  # type: ignore[operator]
    clock.advance(3)
    await ask(pace)


async def test_another_account_is_only_paused(pace: Pace, clock: MovableClock) -> None:
    await failure(pace, error=KommoRateLimited(retry_after=200))
    before = clock()
    await ask(pace, OTHER)
    assert 0.9 < clock() - before < 5


async def test_refusals_in_a_row_double_the_wait_until_one_is_answered(pace: Pace, clock: MovableClock) -> None:
    waits: list[float] = []

    async def refused() -> None:
        await failure(pace, error=KommoRateLimited())
        waits.append((await failure(pace)).retry_after or 0)
        clock.advance(waits[-1] + 1)

    for _ in range(3):
        await refused()
    await ask(pace)
    await refused()
    assert waits[0] < 3.1 < waits[1] < 5.1 < waits[2] < 9.1
    assert waits[3] < 3.1


async def test_a_block_stops_every_account_and_one_call_probes_now_and_then(
    database_url: str, clock: MovableClock
) -> None:
    blocked: Callable[[], KommoError] = lambda: KommoBlocked()  # noqa: E731
    async with processes(database_url, clock, 2, account_rate=100, address_rate=200) as (here, there):
        await failure(here, error=blocked())
        assert isinstance(await failure(there, OTHER), KommoBlocked)
        clock.advance(29)
        assert isinstance(await failure(there), KommoBlocked)
        clock.advance(2)
        assert isinstance(await failure(there, error=KommoConnectionError()), KommoConnectionError)  # let out, no news
        assert isinstance(await failure(here), KommoBlocked)
        clock.advance(31)
        await ask(there, OTHER)
        await ask(here)


async def test_a_clock_that_was_set_back_stops_no_account(pace: Pace, clock: MovableClock) -> None:
    clock.advance(4000)
    await failure(pace, error=KommoRateLimited(retry_after=100))
    clock._offset = 0.0
    await asyncio.wait_for(ask(pace), 3)
    await asyncio.wait_for(ask(pace, backlog=True), 3)


@pytest.mark.parametrize(("error", "accounts"), [(KommoBlocked(), 10), (KommoRateLimited(retry_after=200), 1)])
async def test_a_caller_that_waits_when_kommo_starts_to_refuse_sends_nothing(
    database_url: str, clock: MovableClock, error: KommoError, accounts: int
) -> None:
    sent: list[int] = []

    async def one(pace: Pace, number: int, *, backlog: bool) -> None:
        async with pace.turn(ACCOUNT + number % accounts, backlog=backlog):
            sent.append(number)
            raise error

    async with processes(database_url, clock, 2) as paces:
        for _ in range(FIRST_CALLS):
            await ask(paces[0])
        asking = [one(paces[number % 2], number, backlog=number < 2) for number in range(10)]
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert len(sent) == 1
    assert {type(outcome) for outcome in outcomes} == {type(error)}


async def test_a_hold_and_a_block_of_a_clock_that_was_set_back_hold_up_nobody(pace: Pace, clock: MovableClock) -> None:
    clock.advance(3 * 3600)
    await ask(pace)
    await failure(pace, error=KommoRateLimited("slow down", retry_after=60))
    clock.set_back(3 * 3600)
    await ask(pace)
    await failure(pace, error=KommoRateLimited("slow down", retry_after=60))
    refused = await failure(pace)
    assert 0 < (refused.retry_after or 0) <= 61
    clock.advance(3 * 3600)
    await failure(pace, OTHER, KommoBlocked("nothing is answered"))
    clock.set_back(3 * 3600)
    await ask(pace, OTHER)
