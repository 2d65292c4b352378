"""The pair of tokens: renewed in time and by one alone, kept before it is read, and never lost by us."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.accounts.tokens.call import refresh_idle
from backend.accounts.tokens.refresh import answer_row, renew
from backend.core.errors import NotConnected
from backend.kommo_api.errors import KommoBlocked, KommoError, KommoUnavailable
from backend.storage.models import Account, Integration, Rate
from sandbox.clock import MovableClock
from tests.world import TOKEN, Tenant, World, new_tenant, open_world

ACCOUNT = "/api/v4/account"
HALF, OVER = 13 * 3600, 25 * 3600
MONTHS = 100 * 86400


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    """One Kommo for all tests here; each has an account of its own in it."""
    folder: Path = tmp_path_factory.mktemp("tokens")
    async with open_world(f"sqlite+aiosqlite:///{folder}/x.db", clock=MovableClock(), own_hosts=True) as made:
        yield made


@pytest.fixture
async def tenant(shared: World) -> AsyncIterator[Tenant]:
    yield await new_tenant(shared)
    shared.kommo.faults.clear()
    shared.kommo.switches.set("old_refresh_token", "strict")
    shared.kommo.switches.set("old_access_token", "lives")
    shared.kommo.switches.set("wrong_subdomain", "401")
    shared.kommo.switches.set("account_error", "400_hint")


@pytest.fixture
def clock(shared: World) -> MovableClock:
    assert isinstance(shared.clock, MovableClock)
    return shared.clock


async def both(tenant: Tenant, first: World) -> list[int]:
    """Eight callers in each of two processes, all at once."""
    async with first.process() as second:
        callers = [tenant.call(one) for one in (first.resources, second) for _ in range(8)]
        return [info.id for info in await asyncio.gather(*callers)]


async def test_an_idle_account_keeps_its_tokens(tenant: Tenant, clock: MovableClock) -> None:
    for _ in range(3):
        clock.advance(MONTHS // 3)
        await refresh_idle(tenant.world.resources)
    assert (tenant.refreshes, (await tenant.call()).id) == (3, tenant.account.id)


async def test_before_half_of_its_life_a_pair_is_used_as_it_is(tenant: Tenant, clock: MovableClock) -> None:
    clock.advance(11 * 3600)
    await tenant.call()
    assert tenant.asked == [ACCOUNT]


async def test_from_half_of_its_life_on_it_is_renewed_before_it_is_used(tenant: Tenant, clock: MovableClock) -> None:
    before = await tenant.row()
    clock.advance(HALF)
    await tenant.call()
    after = await tenant.row()
    assert tenant.asked == [TOKEN, ACCOUNT]
    assert (after.token_version, after.tokens == before.tokens) == (before.token_version + 1, False)


@pytest.mark.parametrize("age", [HALF, OVER])
async def test_of_many_callers_in_two_processes_one_renews(
    shared: World, tenant: Tenant, clock: MovableClock, age: int
) -> None:
    clock.advance(age)
    shared.kommo.faults.add("delay", TOKEN, seconds=0.3)
    assert await both(tenant, shared) == [tenant.account.id] * 16
    assert tenant.refreshes == 1


async def test_no_other_process_renews_while_kommo_may_still_answer(
    shared: World, tenant: Tenant, clock: MovableClock
) -> None:
    clock.advance(OVER)
    shared.kommo.faults.add("delay", TOKEN, seconds=0.8)
    async with shared.process() as second:
        first = asyncio.create_task(tenant.call())
        await asyncio.sleep(0.3)
        clock.advance(75)
        await asyncio.gather(first, tenant.call(second))
    assert tenant.refreshes == 1


async def test_a_turn_that_its_process_did_not_live_to_end_is_taken_over(tenant: Tenant, clock: MovableClock) -> None:
    clock.advance(OVER)
    async with tenant.world.resources.database.write() as session:
        taken = update(Account).where(col(Account.id) == tenant.account.id)
        await session.exec(taken.values(refresh_until=clock() + 90))
    waiting = asyncio.create_task(tenant.call())
    await asyncio.sleep(0.3)
    assert tenant.refreshes == 0
    clock.advance(91)
    assert (await waiting).id == tenant.account.id


async def test_a_process_that_waited_too_long_leaves_the_refresh_to_its_successor(
    shared: World, tenant: Tenant, clock: MovableClock
) -> None:
    clock.advance(OVER)
    async with shared.resources.database.write() as session:
        slow = update(Rate).where(col(Rate.account_id) == tenant.account.id)
        await session.exec(slow.values(next_at=clock() + 0.6))
    shared.kommo.faults.add("delay", TOKEN, seconds=0.8)
    async with shared.process() as second:
        first = asyncio.create_task(tenant.call())
        await asyncio.sleep(0.2)
        clock.advance(91)
        assert {info.id for info in await asyncio.gather(first, tenant.call(second))} == {tenant.account.id}
    assert tenant.refreshes == 1


async def test_an_answer_that_a_process_kept_and_died_is_read_and_kommo_not_asked(
    shared: World, tenant: Tenant, clock: MovableClock
) -> None:
    """Kommo's answer is durable before anybody reads it."""
    clock.advance(OVER)
    row, kommo = await tenant.row(), shared.kommo
    pair = kommo.issue_pair(tenant.integration.client_id, tenant.account.admin.id)
    kept = f'{{"access_token": "{pair.access}", "refresh_token": "{pair.refresh}", "expires_in": 86400}}'
    sealed = shared.resources.vault.seal_text(kept, answer_row(row.id))
    async with shared.resources.database.write() as session:
        left = update(Account).where(col(Account.id) == row.id)
        await session.exec(left.values(token_answer=sealed, refresh_until=clock() + 90))
    await tenant.call()
    assert (tenant.asked, (await tenant.row()).token_answer) == ([ACCOUNT], None)


async def test_what_kommo_answered_is_in_the_database_before_it_is_read(
    shared: World, tenant: Tenant, clock: MovableClock
) -> None:
    clock.advance(OVER)
    shared.kommo.faults.add("delay", ACCOUNT, seconds=0.5)
    before = await tenant.row()
    ongoing = asyncio.create_task(tenant.call())
    async with asyncio.timeout(5):
        while ACCOUNT not in tenant.asked:  # noqa: ASYNC110 (Kommo's log wakes nobody)
            await asyncio.sleep(0.01)
    assert (await tenant.row()).token_version == before.token_version + 1  # committed before its first use
    await ongoing


async def test_the_new_pair_is_kept_though_the_caller_goes_away(
    shared: World, tenant: Tenant, clock: MovableClock
) -> None:
    clock.advance(OVER)
    shared.kommo.faults.add("delay", TOKEN, seconds=0.3)
    asking = asyncio.create_task(tenant.call())
    await asyncio.sleep(0.15)
    asking.cancel()
    assert (await tenant.call()).id == tenant.account.id
    assert tenant.refreshes == 1


@pytest.mark.parametrize(("reading", "fault"), [("strict", "drop_before"), ("grace", "drop_after"), ("grace", "cut")])
async def test_after_a_lost_answer_the_old_refresh_token_is_tried_once_more(
    shared: World, tenant: Tenant, clock: MovableClock, reading: str, fault: str
) -> None:
    shared.kommo.switches.set("old_refresh_token", reading)
    clock.advance(OVER)
    shared.kommo.faults.add(fault, TOKEN)
    assert (await tenant.call()).id == tenant.account.id
    assert tenant.refreshes == 2


@pytest.mark.parametrize("times", [1, 2])
async def test_a_refresh_that_kommo_gets_only_after_its_connection_broke_costs_no_token(
    shared: World, tenant: Tenant, clock: MovableClock, times: int
) -> None:
    """In grace the old token, used once more after ours, would end the pair that we hold by then."""
    shared.kommo.switches.set("old_refresh_token", "grace")
    clock.advance(OVER)
    shared.kommo.faults.add("drop_late", TOKEN, seconds=0.3, times=times)
    if times == 2:
        with pytest.raises(KommoError):
            await renew(tenant.world.resources, await tenant.row())
    await renew(tenant.world.resources, await tenant.row())
    await asyncio.sleep(0.5)
    assert (await tenant.call()).id == tenant.account.id


async def test_where_kommo_refuses_it_then_the_account_must_be_connected_again(
    shared: World, tenant: Tenant, clock: MovableClock
) -> None:
    clock.advance(OVER)
    shared.kommo.faults.add("drop_after", TOKEN)
    with pytest.raises(NotConnected, match="connected again by an administrator"):
        await tenant.call()
    row = await tenant.row()
    assert (row.state, "Install the integration again" in row.problem) == ("reconnect", True)
    assert tenant.refreshes == 2
    with pytest.raises(NotConnected):
        await tenant.call()
    assert tenant.refreshes == 2


async def test_a_401_costs_one_refresh_and_one_repeat(tenant: Tenant) -> None:
    tenant.end_access()
    assert (await tenant.call()).id == tenant.account.id
    assert tenant.asked == [ACCOUNT, TOKEN, ACCOUNT]


async def test_a_401_for_a_fresh_token_is_an_account_to_connect_again(shared: World, tenant: Tenant) -> None:
    """Its user was switched off in Kommo, say, right after the refresh."""
    tenant.end_access()
    shared.kommo.faults.add("delay", ACCOUNT, seconds=0.3, skip=1)
    ongoing = asyncio.create_task(tenant.call())
    async with asyncio.timeout(5):
        while tenant.asked != [ACCOUNT, TOKEN, ACCOUNT]:  # noqa: ASYNC110 (Kommo's log wakes nobody)
            await asyncio.sleep(0.01)
    tenant.end_access()
    with pytest.raises(NotConnected):
        await ongoing
    assert tenant.refreshes == 1
    assert ((await tenant.row()).state, "fresh token" in (await tenant.row()).problem) == ("reconnect", True)


async def test_access_revoked_altogether_is_told(shared: World, tenant: Tenant) -> None:
    shared.kommo.wallet.revoke(tenant.integration.client_id)
    with pytest.raises(NotConnected):
        await tenant.call()
    assert (await tenant.row()).state == "reconnect"


async def test_a_secret_renewed_in_kommo_is_named(shared: World, tenant: Tenant, clock: MovableClock) -> None:
    shared.kommo.renew_secret(tenant.integration.client_id)
    clock.advance(OVER)
    with pytest.raises(NotConnected):
        await tenant.call()
    assert "secret key" in (await tenant.row()).problem


async def test_another_redirect_uri_in_kommos_form_is_named(tenant: Tenant, clock: MovableClock) -> None:
    tenant.integration.redirect_uri = "https://moved.example.com/oauth/kommo/callback"
    clock.advance(OVER)
    with pytest.raises(NotConnected):
        await tenant.call()
    assert f"Enter {tenant.world.settings.redirect_uri} there exactly" in (await tenant.row()).problem


@pytest.mark.parametrize(
    "fault",
    [
        "301_html", "400_try_again", "402", "403_block", "404_html", "429_html", "429_json", "500_json", "502_html",
        "504_html",
    ],
)  # fmt: skip
async def test_a_failure_of_kommo_disconnects_no_account(
    shared: World, tenant: Tenant, clock: MovableClock, fault: str
) -> None:
    clock.advance(OVER)
    shared.kommo.faults.add(fault, TOKEN, times=0)
    with pytest.raises(KommoError):
        await tenant.call()
    assert (await tenant.row()).state == "connected"
    shared.kommo.faults.clear()
    clock.advance(400)  # a block, or the patience that Kommo asked for, is over
    assert (await tenant.call()).id == tenant.account.id


async def test_while_a_refresh_fails_the_old_token_goes_on(shared: World, tenant: Tenant, clock: MovableClock) -> None:
    clock.advance(HALF)
    shared.kommo.faults.add("500_json", TOKEN, times=0)
    for _ in range(3):
        assert (await tenant.call()).id == tenant.account.id
    assert tenant.refreshes <= 2  # not at each call: an outage of that one address delays nobody


async def test_after_three_months_without_us_a_token_is_over(tenant: Tenant, clock: MovableClock) -> None:
    clock.advance(MONTHS)
    with pytest.raises(NotConnected):
        await tenant.call()
    assert (await tenant.row()).state == "reconnect"


@pytest.mark.parametrize("status", ["401", "404", "301"])
@pytest.mark.parametrize("age", [0, OVER])
async def test_an_account_that_moved_is_found_by_its_id(
    shared: World, tenant: Tenant, clock: MovableClock, status: str, age: int
) -> None:
    shared.kommo.switches.set("wrong_subdomain", status)
    shared.kommo.switches.set("account_error", "301" if status == "301" else "400_hint")
    clock.advance(age)
    moved = f"{tenant.account.subdomain}-moved"
    shared.kommo.rename_subdomain(tenant.account, moved)
    assert (await tenant.call()).subdomain == moved
    assert (await tenant.row()).base_url == f"https://{moved}.kommo.com"


async def test_where_kommo_has_no_such_route_a_moved_account_is_told(shared: World, tenant: Tenant) -> None:
    shared.kommo.switches.set("subdomain_route", "absent")
    shared.kommo.rename_subdomain(tenant.account, f"{tenant.account.subdomain}-moved")
    try:
        with pytest.raises((NotConnected, KommoError)):
            await tenant.call()
    finally:
        shared.kommo.switches.set("subdomain_route", "present")


async def test_an_unreadable_answer_is_not_read_for_ever(shared: World, tenant: Tenant, clock: MovableClock) -> None:
    row = await tenant.row()
    clock.advance(OVER)
    sealed = shared.resources.vault.seal_text("<html>", answer_row(row.id))
    async with shared.resources.database.write() as session:
        await session.exec(update(Account).where(col(Account.id) == row.id).values(token_answer=sealed))
    with pytest.raises(KommoUnavailable):
        await tenant.call()
    assert (await tenant.call()).id == tenant.account.id


async def test_without_its_integration_an_account_can_not_be_renewed(tenant: Tenant, clock: MovableClock) -> None:
    async with tenant.world.resources.database.write() as session:
        await session.delete(await session.get_one(Integration, tenant.integration.client_id))
    clock.advance(OVER)
    with pytest.raises(NotConnected):
        await tenant.call()
    assert "not known here" in (await tenant.row()).problem


async def test_a_block_is_no_reason_to_ask_again(shared: World, tenant: Tenant, clock: MovableClock) -> None:
    clock.advance(OVER)
    shared.kommo.faults.add("403_block", TOKEN)
    with pytest.raises(KommoBlocked):
        await tenant.call()
    assert tenant.refreshes == 1
    clock.advance(400)
