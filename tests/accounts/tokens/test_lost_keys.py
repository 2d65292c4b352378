"""SECRET_KEYS were lost: the connections are lost with them, not the payments, and each is had again by connecting."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.accounts.install.pending import ANSWER_SECONDS, keep_answer, keep_code
from backend.accounts.install.use_codes import connect_waiting
from backend.accounts.integrations import Keys, put_integration
from backend.accounts.provisioning import look_again
from backend.accounts.stripe.connections import secrets_of, stripe_api
from backend.core.vault import Vault
from backend.resources import Resources
from backend.storage.models import Account, InboxEvent, PendingInstall, StripeConnection
from sandbox.clock import MovableClock
from tests.accounts.connecting import put, return_from_kommo, shown
from tests.world import ADMIN, ADMIN_TOKEN, Tenant, World, new_tenant, open_world

LOST = {"secret_keys": "another key of the tests"}


def before(resources: Resources) -> Resources:
    """As it was while another key sealed."""
    return replace(resources, vault=Vault(["a key of the tests that is lost"]))


@pytest.mark.parametrize("key_of", ["environment", "admin"])
async def test_connecting_again_and_the_same_stripe_key_are_all_it_takes(tmp_path: Path, key_of: str) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/product.db"
    by_hand = {"stripe_api_key": ""} if key_of == "admin" else {}
    async with open_world(url) as product:
        lead_id = product.lead()
        link = await product.link(lead_id)
        await product.quiet()
        (connection,) = await product.rows(StripeConnection)
        key = product.stripe.default_account.live_secret_key
    worlds = (product.kommo, product.stripe)
    async with open_world(url, worlds=worlds, connected=False, more=LOST | by_hand) as again:
        assert "SECRET_KEYS" in (await shown(again))["problem"]
        assert (await return_from_kommo(again)).status_code == 200
        if key_of == "admin":
            answer = await put(again, f"accounts/{again.account.id}/stripe", {"api_key": key})
            assert answer.json()["id"] == connection.id
        await again.until(lambda: _heard_here(again), 20)
        row = await _ready(again)
        assert (row["state"], row["ready"], row["problem"], row["stripe"][0]["problem"]) == ("connected", True, "", "")
        await again.pay(f"{again.url}{httpx.URL(link).path}")
        await again.until(lambda: again.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid")
        assert {event.state for event in await again.rows(InboxEvent)} <= {"done", "ignored"}


async def _ready(again: World) -> dict[str, Any]:
    """What the admin API says once the work behind the new connection is over; its last word if it never is."""
    for _ in range(200):
        await again.quiet()
        row = await shown(again)
        if row["ready"]:
            break
        await asyncio.sleep(0.1)
    return row


def _heard_here(again: World) -> bool:
    endpoints = again.stripe.default_account.shelves[True].endpoints.values()
    return any(one.shown["url"].startswith(again.url) for one in endpoints)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(), own_hosts=True) as made:
        yield made


async def lose(tenant: Tenant) -> None:
    """Of this account, nothing opens any more."""
    old = before(tenant.world.resources)
    async with old.database.write() as session:
        made = tenant.integration
        await put_integration(old, session, Keys(made.client_id, made.client_secret, made.redirect_uri))
        account = await session.get_one(Account, tenant.account.id)
        account.tokens = account.hook_secret = old.vault.seal_text("{}", "of nobody")
        session.add(account)


async def seen(tenant: Tenant) -> httpx.Response:
    token = tenant.world.kommo.one_time_token(tenant.integration.client_id, tenant.account.admin.id)
    lead_id = tenant.account.add_lead("Sofa", 0).id
    return await tenant.world.http.get(f"/widget/deals/{lead_id}", headers={"X-Auth-Token": token})


async def test_what_one_account_lost_is_no_trouble_of_another(here: World) -> None:
    lost, well = await new_tenant(here), await new_tenant(here)
    await lose(lost)
    assert (await seen(well)).status_code == 200
    answer = await seen(lost)
    assert (answer.status_code, "SECRET_KEYS" in answer.json()["error"]["message"]) == (503, True)
    listed = await here.http.get("/admin/api/accounts", headers=ADMIN)
    problems = {row["account_id"]: row["problem"] for row in listed.json()}
    assert ("SECRET_KEYS" in problems[lost.account.id], problems[well.account.id]) == (True, "")
    async with here.resources.database.write() as session:
        for number, tenant in enumerate((lost, well)):
            account = await session.get_one(Account, tenant.account.id)
            account.set_up_at = 1.0 + number
            session.add(account)
    await look_again(here.resources)
    assert (await well.row()).set_up_at > 2.0


async def test_a_code_comes_for_an_integration_whose_secret_is_lost(here: World) -> None:
    tenant = await new_tenant(here)
    await lose(tenant)
    given = {"code": here.kommo.issue_code(tenant.integration.client_id), "from_widget": "1",
             "client_id": tenant.integration.client_id, "referer": f"{tenant.account.subdomain}.kommo.com"}  # fmt: skip
    answer = await here.http.get("/oauth/kommo/callback", params=given)
    assert (answer.status_code, "secret key is missing" in answer.text) == (200, True)
    path = f"/admin/api/integrations/{tenant.integration.client_id}"
    added = await here.http.put(path, json={"client_secret": tenant.integration.client_secret}, headers=ADMIN)
    assert added.json()["account_id"] == tenant.account.id
    assert (await tenant.call()).id == tenant.account.id


async def test_what_waits_and_does_not_open_holds_up_nothing(here: World) -> None:
    tenant = await new_tenant(here)
    await keep_code(before(here.resources), "unknown", "https://x.kommo.com", "a code")
    pair = here.kommo.issue_pair(tenant.integration.client_id, tenant.account.admin.id)
    raw = f'{{"expires_in":86400,"access_token":"{pair.access}","refresh_token":"{pair.refresh}"}}'
    address = f"https://{tenant.account.subdomain}.kommo.com"
    await keep_answer(here.resources, tenant.integration.client_id, address, raw.encode())
    await connect_waiting(here.resources)
    assert (await tenant.row()).token_version == 2
    assert isinstance(here.clock, MovableClock)
    here.clock.advance(ANSWER_SECONDS + 1)
    await connect_waiting(here.resources)
    async with here.resources.database.read() as session:
        assert await session.get(PendingInstall, "unknown") is None


async def test_a_connection_that_drains_and_does_not_open_holds_up_nothing(here: World) -> None:
    tenant = await new_tenant(here)
    path = f"/admin/api/accounts/{tenant.account.id}/stripe"
    for number in range(2):
        shop = here.stripe.add_account(f"Shop {number}")
        key = shop.live_secret_key
        answer = await here.http.put(path, json={"api_key": key, "confirm_account": shop.id}, headers=ADMIN)
        assert answer.status_code == 200
        if not number:
            async with here.resources.database.write() as session:
                row = await session.get_one(StripeConnection, answer.json()["id"])
                row.api_key = before(here.resources).vault.seal_text(key, "of nobody")
                session.add(row)
    async with here.resources.database.write() as session:
        account = await session.get_one(Account, tenant.account.id)
        account.set_up_at = 1.0
        session.add(account)
    await look_again(here.resources)
    assert (await tenant.row()).set_up_at > 1.0
    listed = await here.http.get("/admin/api/accounts", headers=ADMIN)
    problems = {one["state"]: one["problem"] for row in listed.json() for one in row["stripe"]}
    assert ("SECRET_KEYS" in problems["draining"], problems["active"]) == (True, "")
    async with here.resources.database.read() as session:
        kept = await session.get_one(StripeConnection, answer.json()["id"])
    assert (len(secrets_of(here.resources, kept)), bool(stripe_api(here.resources, kept))) == (1, True)


async def test_a_hook_address_that_does_not_open_is_told_and_may_be_replaced(here: World) -> None:
    """Connecting again leaves it: it goes on working wherever it is in use."""
    tenant = await new_tenant(here)

    async def listed() -> dict[str, Any]:
        row: dict[str, Any] = (await here.http.get("/admin/api/accounts", headers=ADMIN)).json()[0]
        return row

    async def works(url: str) -> int:
        return (await here.http.post(url, json={})).status_code

    old = (await listed())["hook_url"]
    await lose(tenant)
    given = {"client_secret": tenant.integration.client_secret, "subdomain": tenant.account.subdomain}
    given["code"] = here.kommo.issue_code(tenant.integration.client_id)
    path = f"/admin/api/integrations/{tenant.integration.client_id}"
    assert (await here.http.put(path, json=given, headers=ADMIN)).json()["account_id"] == tenant.account.id
    row = await listed()
    assert (row["hook_url"], row["hook_is_lost"], await works(old)) == ("", True, 200)
    ours = {"Sec-Fetch-Site": "same-origin"}
    await here.http.post("/admin/login", data={"token": ADMIN_TOKEN}, headers=ours)
    page = (await here.http.get("/admin/setup/kommo")).text
    assert ("goes on working where it is in use" in page, "Make a new address" in page) == (True, True)
    for _ in range(2):  # pressed twice
        await here.http.post(f"/admin/accounts/{tenant.account.id}/hook", headers=ours)
        fresh = (await listed())["hook_url"]
        assert (await works(fresh), await works(old)) == (200, 404)
    assert fresh in (await here.http.get("/admin/setup/kommo")).text
