"""A key of another Stripe account: refused by both names, taken by a second step that names the new one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlmodel import select

from backend.accounts.from_environment import ensure_environment
from backend.accounts.stripe.other_account import CHANGED
from backend.storage.models import Audit, StripeConnection
from sandbox.clock import MovableClock
from sandbox.stripe.objects.accounts import LEAST
from sandbox.stripe.objects.accounts import Account as StripeAccount
from tests.world import ADMIN, Tenant, World, new_tenant, open_world, settings


@pytest.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url, clock=MovableClock(), own_hosts=True) as made:
        yield made


@pytest.fixture
async def tenant(here: World) -> Tenant:
    return await new_tenant(here)


@pytest.fixture
def shop(here: World) -> StripeAccount:
    return here.stripe.add_account("Shop")


@pytest.fixture
def other(here: World) -> StripeAccount:
    return here.stripe.add_account("Other")


async def put(tenant: Tenant, key: str, **more: Any) -> httpx.Response:
    path = f"/admin/api/accounts/{tenant.account.id}/stripe"
    return await tenant.world.http.put(path, json={"api_key": key} | more, headers=ADMIN)


async def states(tenant: Tenant) -> dict[str, str]:
    async with tenant.world.resources.database.read() as session:
        found = await session.exec(select(StripeConnection).where(StripeConnection.account_id == tenant.account.id))
        return {one.id: one.state for one in found.all()}


async def changes(world: World) -> list[Audit]:
    async with world.resources.database.read() as session:
        return list((await session.exec(select(Audit).where(Audit.what == CHANGED))).all())


def unreadable(shop: StripeAccount) -> str:
    """A key that may not read its own account, as most restricted keys."""
    return shop.add_restricted_key(set(LEAST) - {"rak_connected_account_read"}, live=True)


async def test_it_is_refused_by_both_names_and_nothing_changes(
    tenant: Tenant, shop: StripeAccount, other: StripeAccount
) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()["id"]
    answer = await put(tenant, other.live_secret_key)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (409, "other_stripe_account", "api_key")
    assert (f"Shop ({shop.id})" in error["message"], f"Other ({other.id})" in error["message"]) == (True, True)
    assert error["confirm_account"] == other.id
    assert (await states(tenant), other.shelves[True].endpoints, await changes(tenant.world)) == (
        {first: "active"}, {}, [],
    )  # fmt: skip


@pytest.mark.parametrize("said", ["the connected one", "", True, 5, ["x"], None])
async def test_a_confirmation_that_does_not_name_the_new_account_is_none(
    tenant: Tenant, shop: StripeAccount, other: StripeAccount, said: Any
) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()["id"]
    said = shop.id if said == "the connected one" else said
    assert (await put(tenant, other.live_secret_key, confirm_account=said)).status_code == 409
    assert await states(tenant) == {first: "active"}


async def test_its_confirmation_takes_it_and_leaves_an_audit_line_of_both(
    tenant: Tenant, shop: StripeAccount, other: StripeAccount
) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()["id"]
    answer = await put(tenant, other.live_secret_key, confirm_account=other.id)
    second = answer.json()["id"]
    assert (answer.status_code, await states(tenant)) == (200, {first: "draining", second: "active"})
    (said,) = await changes(tenant.world)
    assert (said.account_id, said.before["id"], said.after["id"]) == (tenant.account.id, first, second)
    assert (said.before["account"], said.after["account"]) == (f"Shop ({shop.id})", f"Other ({other.id})")


async def test_keys_that_may_not_read_their_account_are_named_and_confirmed_by_their_last_four(
    tenant: Tenant, shop: StripeAccount, other: StripeAccount
) -> None:
    old, new = unreadable(shop), unreadable(other)
    await put(tenant, old)
    error = (await put(tenant, new)).json()["error"]
    assert (old[-4:] in error["message"], new[-4:] in error["message"]) == (True, True)
    assert (error["confirm_account"], old in str(error), new in str(error)) == (new[-4:], False, False)
    assert (await put(tenant, new, confirm_account=new[-4:])).status_code == 200


async def test_the_same_account_by_its_id_is_a_rotation_where_nothing_of_ours_can_be_read(
    tenant: Tenant, shop: StripeAccount
) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()["id"]
    shop.shelves[True].endpoints.clear()
    again = await put(tenant, shop.add_restricted_key(LEAST, live=True))
    assert (again.status_code, again.json()["id"], await changes(tenant.world)) == (200, first, [])


async def test_the_other_mode_is_no_change_of_account(
    tenant: Tenant, shop: StripeAccount, other: StripeAccount
) -> None:
    await put(tenant, shop.live_secret_key)
    assert (await put(tenant, other.secret_key)).status_code == 200


async def test_of_two_accounts_in_one_moment_one_is_connected_and_the_other_asked_about(
    tenant: Tenant, shop: StripeAccount, other: StripeAccount
) -> None:
    answers = await asyncio.gather(put(tenant, shop.live_secret_key), put(tenant, other.live_secret_key))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert list((await states(tenant)).values()) == ["active"]


async def test_a_confirmation_that_is_pressed_twice_leaves_one_connection_and_one_audit_line(
    tenant: Tenant, shop: StripeAccount, other: StripeAccount
) -> None:
    await put(tenant, shop.live_secret_key)
    pressed = (put(tenant, other.live_secret_key, confirm_account=other.id) for _ in range(2))
    answers = await asyncio.gather(*pressed)
    assert {answer.status_code for answer in answers} <= {200, 502}  # Stripe may say that the first is still at work
    assert (sorted((await states(tenant)).values()), len(await changes(tenant.world))) == (["active", "draining"], 1)


async def test_the_environments_key_of_another_account_needs_no_second_step_and_is_on_record(
    here: World, database_url: str, shop: StripeAccount, other: StripeAccount
) -> None:
    async def start(key: str) -> None:
        await ensure_environment(here.resources, settings(database_url, stripe_api_key=key))

    tenant = await new_tenant(here)
    await start(shop.live_secret_key)
    async with here.resources.database.write() as session:
        row = (await session.exec(select(StripeConnection).where(StripeConnection.source == "environment"))).one()
        row.account_id, row.endpoint_id = tenant.account.id, "we_of_the_shop"
        session.add(row)
    await start(other.live_secret_key)
    await start(other.live_secret_key)
    assert sorted((await states(tenant)).values()) == ["active", "draining"]
    (said,) = await changes(here)
    assert (said.who, said.before["account"]) == ("the server's settings", f"Shop ({shop.id})")
    assert said.after["account"] == f"Other ({other.id})"
