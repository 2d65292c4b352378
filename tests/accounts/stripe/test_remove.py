"""A Stripe connection that drained is removed: which may be, what goes at Stripe and here, what is left alone after."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import col, select

from backend.accounts.from_environment import ensure_environment
from backend.accounts.stripe.connections import connections_of
from backend.accounts.stripe.webhook_endpoints import ensure_endpoints
from backend.admin.checkup import examine
from backend.inbox.backfill import look_for_missed
from backend.storage.models import Audit, StripeConnection
from sandbox.clock import MovableClock
from sandbox.stripe.objects.accounts import Account as StripeAccount
from sandbox.stripe.traffic.faults import Fault
from tests.world import ADMIN, Tenant, World, new_tenant, open_world

ENDPOINTS = "/v1/webhook_endpoints*"


@pytest.fixture
async def here(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(), own_hosts=True) as made:
        yield made


@pytest.fixture
async def tenant(here: World) -> Tenant:
    return await new_tenant(here)


@pytest.fixture
def shop(here: World) -> StripeAccount:
    return here.stripe.add_account("Shop")


async def give(tenant: Tenant, key: str, confirm_account: str = "") -> str:
    path = f"/admin/api/accounts/{tenant.account.id}/stripe"
    answer = await tenant.world.http.put(path, json={"api_key": key, "confirm_account": confirm_account}, headers=ADMIN)
    connection_id: str = answer.json()["id"]
    return connection_id


async def drained(tenant: Tenant, shop: StripeAccount) -> str:
    """The shop's connection, another account's key having taken its place."""
    first = await give(tenant, shop.live_secret_key)
    other = tenant.world.stripe.add_account("Other")
    await give(tenant, other.live_secret_key, other.id)
    return first


async def remove(tenant: Tenant, connection_id: str, account_id: int | None = None) -> httpx.Response:
    path = f"/admin/api/accounts/{account_id or tenant.account.id}/stripe/{connection_id}"
    return await tenant.world.http.delete(path, headers=ADMIN)


async def row(tenant: Tenant, connection_id: str) -> StripeConnection:
    async with tenant.world.resources.database.read() as session:
        return await session.get_one(StripeConnection, connection_id)


async def test_its_webhook_goes_and_no_secret_is_left(tenant: Tenant, shop: StripeAccount) -> None:
    first = await drained(tenant, shop)
    answer = await remove(tenant, first)
    assert (answer.status_code, answer.json()) == (200, {"removed": True})
    left = await row(tenant, first)
    assert (left.state, left.api_key, left.webhook_secrets, left.given_secrets) == ("removed", "", [], [])
    assert shop.shelves[True].endpoints == {}
    async with tenant.world.resources.database.read() as session:
        said = (await session.exec(select(Audit).order_by(col(Audit.id).desc()))).first()
    assert said is not None
    assert (said.who, said.what, said.after) == ("admin token", "Stripe connection removed", {"id": first})


async def test_what_is_removed_is_listed_repaired_and_asked_about_no_more(tenant: Tenant, shop: StripeAccount) -> None:
    first, resources = await drained(tenant, shop), tenant.world.resources
    shop.remove_key(shop.live_secret_key)
    await ensure_endpoints(resources, tenant.account.id)
    assert "refused" in (await row(tenant, first)).problem
    assert "webhook could not be deleted" in (await remove(tenant, first)).json()["warning"]
    seen = len(tenant.world.stripe.seen)
    (shown,) = (await tenant.world.http.get("/admin/api/accounts", headers=ADMIN)).json()
    assert [(one["state"], one["problem"]) for one in shown["stripe"]] == [("active", "")]
    findings = [one async for one in examine(resources)]
    assert [one.said for one in findings if one.what.startswith("Stripe") and not one.is_well] == []
    await ensure_endpoints(resources, tenant.account.id)
    tenant.world.stripe.advance(2 * 86400)
    await look_for_missed(resources)
    assert {one.account for one in tenant.world.stripe.seen[seen:]} & {shop.id, None} == set()
    assert (await row(tenant, first)).problem == ""


async def test_a_webhook_that_is_gone_already_is_no_hindrance(tenant: Tenant, shop: StripeAccount) -> None:
    first = await drained(tenant, shop)
    shop.shelves[True].endpoints.clear()
    assert (await remove(tenant, first)).json() == {"removed": True}


async def test_where_stripe_does_not_answer_nothing_is_removed(tenant: Tenant, shop: StripeAccount) -> None:
    first = await drained(tenant, shop)
    tenant.world.stripe.faults.order(Fault("html_502", ENDPOINTS, count=10))
    answer = await remove(tenant, first)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "stripe_unreachable")
    left = await row(tenant, first)
    assert (left.state, bool(left.api_key), len(left.webhook_secrets)) == ("draining", True, 1)


async def test_the_one_in_use_stays(tenant: Tenant, shop: StripeAccount) -> None:
    first = await give(tenant, shop.live_secret_key)
    answer = await remove(tenant, first)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert (await row(tenant, first)).state == "active"


async def test_what_is_not_there_or_of_another_account_is_404(tenant: Tenant, shop: StripeAccount) -> None:
    first, other = await drained(tenant, shop), await new_tenant(tenant.world)
    for answer in (
        await remove(tenant, "x"),
        await remove(tenant, "%00"),
        await remove(tenant, first, other.account.id),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "request_not_found")
    await remove(tenant, first)
    assert (await remove(tenant, first)).status_code == 404


async def test_a_key_that_the_settings_name_would_come_back_and_is_not_removed(
    tenant: Tenant, shop: StripeAccount
) -> None:
    here = tenant.world
    await ensure_environment(
        here.resources, here.settings.model_copy(update={"stripe_api_key": SecretStr(shop.live_secret_key)})
    )
    other = here.stripe.add_account("Other")
    await give(tenant, other.live_secret_key, other.id)
    async with here.resources.database.read() as session:
        first = next(one.id for one in await connections_of(session, tenant.account.id) if one.source == "environment")
    refused = await remove(tenant, first)
    assert (refused.status_code, "STRIPE_API_KEY" in refused.json()["error"]["message"]) == (409, True)
    await ensure_environment(here.resources, here.settings)
    assert (await remove(tenant, first)).status_code == 200


async def test_a_key_of_the_same_stripe_account_takes_it_up_again(tenant: Tenant, shop: StripeAccount) -> None:
    """Under a new name its payments would be booked a second time."""
    first = await drained(tenant, shop)
    endpoint = next(iter(shop.shelves[True].endpoints.values()))
    shop.remove_key(key := shop.live_secret_key)
    await remove(tenant, first)
    shop.add_key(f"{key}again")
    assert await give(tenant, f"{key}again", shop.id) == first
    again = await row(tenant, first)
    assert (again.state, len(again.webhook_secrets)) == ("active", 1)
    assert again.endpoint_id not in ("", endpoint.shown["id"])
