"""A private integration without OAuth: KOMMO_LONG_LIVED_TOKEN beside KOMMO_SUBDOMAIN."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr

from backend.accounts.from_environment import ensure_environment
from backend.accounts.install.pending import AGAIN_SECONDS
from backend.accounts.install.use_codes import connect_waiting
from backend.accounts.provisioning import set_up
from backend.accounts.tokens.call import refresh_idle
from backend.admin.checkup import examine
from backend.core.errors import NotConnected
from backend.kommo_api.errors import KommoError
from backend.storage.models import Account, PendingInstall
from sandbox.clock import MovableClock
from tests.accounts.connecting import ACCOUNT, TOKEN, ask_kommo, asked, shown, stored
from tests.world import ADMIN, ADMIN_TOKEN, World, open_world


@pytest.fixture
async def by_token(unconnected: World, sqlite_url: str) -> AsyncIterator[World]:
    """Another process of it, started with a token that is good for a year."""
    token = unconnected.kommo.long_lived_token(unconnected.integration.client_id)
    async with unconnected.started_again(sqlite_url, kommo_long_lived_token=token, kommo_subdomain="acme") as product:
        await product.until(lambda: product.stripe.default_account.shelves[True].endpoints)
        await product.quiet()
        yield product


async def test_a_start_with_a_long_lived_token_connects_and_sets_up(by_token: World) -> None:
    row = await shown(by_token)
    assert (row["account_id"], row["state"], row["ready"]) == (by_token.account.id, "connected", True)
    assert asked(by_token, TOKEN) == []


async def test_the_main_job_works_by_it(by_token: World) -> None:
    lead_id = await by_token.paid_deal()
    assert by_token.deal(lead_id)["status"] == "Paid"


async def test_it_is_never_refreshed(by_token: World, clock: MovableClock) -> None:
    clock.advance(300 * 86400)
    await refresh_idle(by_token.resources)
    assert (asked(by_token, TOKEN), (await shown(by_token))["state"]) == ([], "connected")


async def test_when_it_ends_the_account_asks_for_another(by_token: World, clock: MovableClock) -> None:
    clock.advance(366 * 86400)
    lead_id = by_token.lead()
    assert (await by_token.ask(lead_id, "120.00", "USD")).status_code == 409
    await by_token.quiet()
    row = await shown(by_token)
    assert (row["state"], "long-lived token" in row["problem"]) == ("reconnect", True)


REFUSED = 5
"""More calls than the product makes in a test that probes rarely."""


async def test_one_401_is_repeated_and_nobody_hears_of_it(by_token: World) -> None:
    seen = len(asked(by_token, ACCOUNT))
    by_token.kommo.faults.add("401", ACCOUNT)
    assert (await ask_kommo(by_token.resources, by_token.account.id)).id == by_token.account.id
    row = await shown(by_token)
    assert (len(asked(by_token, ACCOUNT)) - seen, row["state"], row["problem"]) == (2, "connected", "")


async def test_a_token_that_kommo_refuses_for_a_while_is_probed_rarely_and_goes_on(
    by_token: World, clock: MovableClock
) -> None:
    by_token.kommo.faults.add("401", "/api/v4", times=0)
    seen = len(by_token.kommo.requests)
    for _ in range(REFUSED):
        with pytest.raises(NotConnected, match="long-lived token"):
            await ask_kommo(by_token.resources, by_token.account.id)
    row = await shown(by_token)
    assert (row["state"], "long-lived token" in row["problem"]) == ("connected", True)
    assert len(by_token.kommo.requests) - seen <= 4
    for _ in range(20):
        clock.advance(31)
        with pytest.raises(NotConnected):
            await ask_kommo(by_token.resources, by_token.account.id)
    assert len(by_token.kommo.requests) - seen <= 24
    by_token.kommo.faults.clear()
    clock.advance(600)
    assert (await ask_kommo(by_token.resources, by_token.account.id)).id == by_token.account.id
    row = await shown(by_token)
    assert (row["state"], row["problem"]) == ("connected", "")


async def test_one_that_kommo_refuses_for_a_day_asks_for_another(by_token: World, clock: MovableClock) -> None:
    by_token.kommo.faults.add("401", "/api/v4", times=0)
    for _ in range(2):
        with pytest.raises(NotConnected):
            await ask_kommo(by_token.resources, by_token.account.id)
        clock.advance(86400)
    with pytest.raises(NotConnected):
        await ask_kommo(by_token.resources, by_token.account.id)
    row = await shown(by_token)
    assert (row["state"], "long-lived token" in row["problem"]) == ("reconnect", True)


async def test_a_new_one_connects_again(by_token: World, clock: MovableClock, sqlite_url: str) -> None:
    clock.advance(366 * 86400)
    assert (await by_token.ask(by_token.lead(), "120.00", "USD")).status_code == 409
    await by_token.quiet()
    token = by_token.kommo.long_lived_token(by_token.integration.client_id)
    async with by_token.started_again(sqlite_url, kommo_long_lived_token=token, kommo_subdomain="acme") as product:
        for _ in range(100):
            if (await shown(product))["state"] == "connected":
                break
            await product.quiet()
        assert (await shown(product))["state"] == "connected"


async def test_the_same_one_at_the_next_start_changes_nothing(by_token: World, sqlite_url: str) -> None:
    token = next(text for text, pair in by_token.kommo.wallet.by_access.items() if pair.refresh is None)
    before = await stored(by_token)
    async with by_token.started_again(sqlite_url, kommo_long_lived_token=token, kommo_subdomain="acme") as product:
        assert await product.rows(PendingInstall) == []
        assert (await stored(product)).token_version == before.token_version


async def test_one_that_kommo_refuses_connects_nothing_and_is_not_tried_for_ever(
    unconnected: World, sqlite_url: str
) -> None:
    given = {"kommo_long_lived_token": "of nobody", "kommo_subdomain": "acme"}
    async with unconnected.started_again(sqlite_url, **given) as product:
        await product.until(lambda: asked(product, ACCOUNT))
        for _ in range(200):
            if any(row.problem for row in await product.rows(PendingInstall)):
                break
            await asyncio.sleep(0.05)
        for _ in range(3):
            await connect_waiting(product.resources)
        assert (await product.rows(Account), len(asked(product, ACCOUNT))) == ([], 1)
        page = await operators_page(product)
        assert ("does not accept KOMMO_LONG_LIVED_TOKEN" in page, "KOMMO_SUBDOMAIN" in page) == (True, True)
    async with unconnected.started_again(sqlite_url) as product:  # it was taken out of the settings
        assert await product.rows(PendingInstall) == []


async def operators_page(product: World) -> str:
    async with httpx.AsyncClient(base_url=product.url, headers={"Sec-Fetch-Site": "same-origin"}) as http:
        await http.post("/admin/login", data={"token": ADMIN_TOKEN})
        return (await http.get("/admin/accounts")).text


async def test_while_kommo_is_away_the_product_starts_all_the_same(unconnected: World, sqlite_url: str) -> None:
    unconnected.kommo.faults.add("drop_before", ACCOUNT, times=0)
    token = unconnected.kommo.long_lived_token(unconnected.integration.client_id)
    async with unconnected.started_again(sqlite_url, kommo_long_lived_token=token, kommo_subdomain="acme") as product:
        assert (await product.http.get(f"{product.url}/healthz")).status_code == 200
        assert len(await product.rows(PendingInstall)) == 1


@pytest.mark.parametrize("status", ["401", "404", "301"])
async def test_after_a_change_of_the_subdomain_the_next_step_is_named_and_connects(
    sqlite_url: str, clock: MovableClock, status: str
) -> None:
    """No refresh token tells where the account went."""
    async with open_world(sqlite_url, clock=clock, own_hosts=True) as here:
        made = here.kommo.add_integration(here.kommo.account, here.settings.redirect_uri)
        token = {"kommo_long_lived_token": SecretStr(here.kommo.long_lived_token(made.client_id))}

        async def start(subdomain: str) -> None:
            chosen = replace(here.resources, kommo_subdomain=subdomain)
            await ensure_environment(chosen, here.settings.model_copy(update=token | {"kommo_subdomain": subdomain}))
            await connect_waiting(chosen)

        async def told() -> str:
            return " ".join([one.said async for one in examine(here.resources, by_token=True) if not one.is_well])

        await start("acme")
        here.kommo.switches.set("wrong_subdomain", status)
        here.kommo.rename_subdomain(here.kommo.account, "globex")
        with pytest.raises((NotConnected, KommoError)):
            await set_up(here.resources, here.kommo.account.id)
        listed = (await here.http.get("/admin/api/accounts", headers=ADMIN)).json()[0]
        assert ("KOMMO_SUBDOMAIN" in listed["problem"], "KOMMO_SUBDOMAIN" in await told()) == (True, True)
        before = len(here.kommo.requests)
        await start("acme")
        clock.advance(AGAIN_SECONDS - 1)
        await connect_waiting(here.resources)
        assert len(here.kommo.requests) <= before + 1
        await start("globex")
        async with here.resources.database.read() as session:
            account = await session.get_one(Account, here.kommo.account.id)
        assert (account.state, account.base_url) == ("connected", "https://globex.kommo.com")
