"""Kommo says that we were removed: believed by its signature, confirmed by a call; links go on, money waits."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.rate_limit.unproven_lane import MOST_WAITING
from backend.storage.models import Audit, InboxEvent
from sandbox.clock import MovableClock
from sandbox.kommo.hooks.hooks import disable
from tests.accounts.connecting import return_from_kommo, shown
from tests.world import ADMIN, TOKEN, Tenant, World, new_tenant, open_world


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(
        f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('uninstall')}/x.db",
        clock=MovableClock(),
        own_hosts=True,
    ) as made:
        yield made


@pytest.fixture
async def tenant(shared: World) -> AsyncIterator[Tenant]:
    yield await new_tenant(shared)
    shared.kommo.faults.clear()


def signature(tenant: Tenant, *, secret: str = "", account_id: int = 0) -> str:
    message = f"{tenant.integration.client_id}|{account_id or tenant.account.id}".encode()
    return hmac.new((secret or tenant.integration.client_secret).encode(), message, hashlib.sha256).hexdigest()


async def told(tenant: Tenant, **change: str) -> httpx.Response:
    true = {
        "client_uuid": tenant.integration.client_id,
        "account_id": str(tenant.account.id),
        "signature": signature(tenant),
    }
    return await tenant.world.http.get("/kommo/uninstall", params=true | change)


async def test_a_true_uninstall_hook_is_confirmed_by_one_call(tenant: Tenant) -> None:
    tenant.world.kommo.wallet.revoke(tenant.integration.client_id)
    assert (await told(tenant)).json() == {"received": True}
    row = await tenant.row()
    assert (row.state, "Install it again" in row.problem) == ("uninstalled", True)


async def test_while_the_token_still_works_nothing_is_switched_off_and_it_is_shown(tenant: Tenant) -> None:
    """The signature has no time in it: anybody who once saw it can send it again."""
    assert (await told(tenant)).status_code == 200
    row = await tenant.row()
    assert (row.state, "still works" in row.problem) == ("connected", True)


async def test_a_hook_that_is_sent_again_and_again_asks_kommo_slowly(tenant: Tenant) -> None:
    """Its address stands in somebody's log, and whoever reads it there could else use up the account's rate."""
    before = len(tenant.world.kommo.requests)
    answers = await asyncio.gather(*(told(tenant) for _ in range(12)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) >= 12 - 2 * MOST_WAITING
    assert len(tenant.world.kommo.requests) - before <= 12 - len(refused)
    assert (await tenant.row()).state == "connected"


async def test_a_token_that_is_only_old_is_refreshed_and_not_taken_for_refused(tenant: Tenant) -> None:
    assert isinstance(tenant.world.clock, MovableClock)
    tenant.world.clock.advance(25 * 3600)
    await told(tenant)
    assert (await tenant.row()).state == "connected"


@pytest.mark.parametrize("fault", ["500_json", "502_html", "drop_before"])
async def test_while_kommo_can_not_be_asked_nothing_is_switched_off(tenant: Tenant, fault: str) -> None:
    tenant.world.kommo.faults.add(fault, times=0)
    assert (await told(tenant)).status_code == 200
    row = await tenant.row()
    assert (row.state, "did not confirm it" in row.problem) == ("connected", True)


async def test_upper_case_and_a_second_time_are_the_same_goodbye(tenant: Tenant) -> None:
    tenant.world.kommo.wallet.revoke(tenant.integration.client_id)
    await told(tenant, signature=signature(tenant).upper())
    asked = len(tenant.requests)
    assert (await told(tenant)).status_code == 200
    assert ((await tenant.row()).state, len(tenant.requests)) == ("uninstalled", asked)


async def test_a_forged_uninstall_hook_changes_nothing_and_asks_nothing(shared: World, tenant: Tenant) -> None:
    other = await new_tenant(shared)
    tenant.seen = len(shared.kommo.requests)
    forged = [
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é"},
        {"signature": signature(tenant, secret="guessed")},
        {"signature": signature(tenant, secret=other.integration.client_secret)},
        {"account_id": str(other.account.id)},
        {"client_uuid": "nobody"},
        {"client_uuid": ""},
        {"account_id": "x"},
    ]
    for change in forged:
        answer = await told(tenant, **change)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_signature"), change
    assert ((await tenant.row()).state, (await tenant.row()).problem, tenant.asked) == ("connected", "", [])


async def test_an_uninstall_hook_for_another_tenants_account_is_ignored(shared: World, tenant: Tenant) -> None:
    """A secret signs for its own account only: whoever owns one integration ends no other account."""
    other = await new_tenant(shared)
    answer = await told(
        tenant, account_id=str(other.account.id), signature=signature(tenant, account_id=other.account.id)
    )
    assert (answer.status_code, (await other.row()).state) == (200, "connected")


async def test_an_account_installed_again_during_its_uninstall_stays_connected(shared: World, tenant: Tenant) -> None:
    """Kommo's no to the former tokens comes late, and is about those alone."""
    client_id = tenant.integration.client_id
    shared.kommo.wallet.revoke(client_id)
    shared.kommo.faults.add("delay", TOKEN, seconds=1.0)
    goodbye = asyncio.create_task(told(tenant))
    for _ in range(500):
        if TOKEN in tenant.asked:
            break
        await asyncio.sleep(0.02)
    again = {"client_secret": tenant.integration.client_secret, "code": shared.kommo.issue_code(client_id)}
    added = await shared.http.put(f"/admin/api/integrations/{client_id}", json=again, headers=ADMIN)
    assert (added.status_code, goodbye.done()) == (200, False)
    assert (await goodbye).status_code == 200
    row = await tenant.row()
    assert (row.state, row.problem) == ("connected", "")
    assert (await tenant.call()).id == tenant.account.id


async def test_links_go_on_money_waits_and_connecting_again_writes_it(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock()) as product:
        lead_id = product.lead()
        link = await product.link(lead_id)
        await product.quiet()
        await disable(product.kommo, product.integration.client_id)
        assert (await shown(product))["state"] == "uninstalled"
        await product.pay(link)
        await product.until(lambda: _delivered(product))
        await product.quiet()
        assert (await product.http.get(link)).status_code == 200  # "paid": the page of the client
        assert product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Pending"
        assert {event.state for event in await product.rows(InboxEvent)} <= {"done", "ignored", "new"}
        await return_from_kommo(product)
        await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid")
        hooks = [row for row in await product.rows(Audit) if row.what == "uninstall hook"]
        assert [(row.before, row.after) for row in hooks] == [({"state": "connected"}, {"state": "uninstalled"})]


def _delivered(product: World) -> bool:
    deliveries = product.stripe.courier.deliveries
    return bool(deliveries) and all(delivery.status == "succeeded" for delivery in deliveries)
