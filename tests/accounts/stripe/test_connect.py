"""Stripe keys that an admin gives: tried call by call, proven, kept apart by account and mode; and their webhooks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from backend.accounts.from_environment import ensure_environment
from backend.accounts.stripe.connections import connection_for_button, key_row, secrets_of, stripe_api
from backend.accounts.stripe.webhook_endpoints import EVENTS, FORMER_SECONDS, ensure_endpoints
from backend.core.errors import NotConnected
from backend.core.vault import Vault
from backend.payments.checkout.params import SessionContext, session_params
from backend.resources import open_resources
from backend.storage.migrations import upgrade
from backend.storage.models import Account, Audit, CheckoutSession, PaymentRequest, StripeConnection
from backend.stripe_api.client import Unreachable
from sandbox.clock import MovableClock
from sandbox.stripe.objects.accounts import LEAST
from sandbox.stripe.objects.accounts import Account as StripeAccount
from sandbox.stripe.objects.store import Endpoint
from sandbox.stripe.traffic.faults import Fault
from tests.world import ADMIN, PUBLIC_URL, Tenant, World, new_tenant, open_world, settings


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    """One Kommo and one Stripe for all tests here; each has accounts of its own in both."""
    async with open_world(
        f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('stripe')}/x.db",
        clock=MovableClock(),
        own_hosts=True,
    ) as made:
        yield made


@pytest.fixture
async def tenant(shared: World) -> AsyncIterator[Tenant]:
    yield await new_tenant(shared)
    shared.stripe.faults.ordered.clear()


@pytest.fixture
def shop(shared: World) -> StripeAccount:
    return shared.stripe.add_account("World")


async def put(tenant: Tenant, key: Any, **more: Any) -> httpx.Response:
    path = f"/admin/api/accounts/{tenant.account.id}/stripe"
    return await tenant.world.http.put(path, json={"api_key": key} | more, headers=ADMIN)


async def connections(tenant: Tenant) -> dict[str, StripeConnection]:
    async with tenant.world.resources.database.read() as session:
        found = await session.exec(select(StripeConnection).where(StripeConnection.account_id == tenant.account.id))
        return {one.id: one for one in found.all()}


def endpoints(shop: StripeAccount, *, live: bool = True) -> list[Endpoint]:
    return list(shop.shelves[live].endpoints.values())


def without(*permissions: str) -> set[str]:
    return set(LEAST) - set(permissions)


WEBHOOK = ("rak_webhook_write", "rak_webhook_endpoint_write")


async def test_a_restricted_key_is_enough_and_its_webhook_is_made(tenant: Tenant, shop: StripeAccount) -> None:
    answer = await put(tenant, shop.add_restricted_key(LEAST, live=True))
    url = f"{PUBLIC_URL}/stripe/webhook/{answer.json()['id']}"
    assert (answer.status_code, answer.json()) == (
        200,
        {"id": answer.json()["id"], "livemode": True, "webhook_url": url, "missing_permissions": []},
    )
    (endpoint,) = endpoints(shop)
    assert (endpoint.shown["url"], sorted(endpoint.shown["enabled_events"])) == (url, EVENTS)


async def test_a_full_secret_key_is_taken_and_warned_about(tenant: Tenant, shop: StripeAccount) -> None:
    answer = await put(tenant, shop.live_secret_key)
    assert (answer.status_code, "full secret key" in answer.json()["warning"]) == (200, True)


@pytest.mark.parametrize("gone", [("rak_checkout_session_write",), WEBHOOK])
async def test_a_key_that_lacks_what_nothing_works_without_is_refused_by_its_name(
    tenant: Tenant, shop: StripeAccount, gone: tuple[str, ...]
) -> None:
    answer = await put(tenant, shop.add_restricted_key(without(*gone)))
    error = answer.json()["error"]
    assert (answer.status_code, error["field"], gone[0] in error["message"]) == (422, "api_key", True)
    assert (await connections(tenant), endpoints(shop, live=False)) == ({}, [])


@pytest.mark.parametrize(
    "gone",
    ["rak_payment_intent_read", "rak_charge_read", "rak_invoice_read", "rak_subscription_read", "rak_refund_read",
     "rak_dispute_read"],
)  # fmt: skip
async def test_a_missing_look_up_is_named_and_the_rest_goes_on(tenant: Tenant, shop: StripeAccount, gone: str) -> None:
    answer = await put(tenant, shop.add_restricted_key(without(gone)))
    assert (answer.status_code, answer.json()["missing_permissions"]) == (200, [gone])


async def test_trying_a_key_out_makes_nothing_at_stripe(tenant: Tenant, shop: StripeAccount) -> None:
    await put(tenant, shop.add_restricted_key(LEAST, live=True))
    shelf = shop.shelves[True]
    assert (len(shelf.endpoints), any(shelf.objects.values())) == (1, False)


async def test_where_the_webhook_was_made_by_hand_the_key_need_not_make_one(
    tenant: Tenant, shop: StripeAccount
) -> None:
    answer = await put(tenant, shop.add_restricted_key(without(*WEBHOOK)), webhook_secret="whsec_made_by_hand")
    (row,) = (await connections(tenant)).values()
    assert (answer.status_code, row.problem) == (200, "")
    assert secrets_of(tenant.world.resources, row) == ["whsec_made_by_hand"]


@pytest.mark.parametrize(
    "key", ["", None, 5, "pk_live_0123456789", "sk_live_", "rk_liveX", "sk_live_a b", "sk_test_unknownkey1"]
)
async def test_what_is_no_key_is_refused_and_never_repeated(tenant: Tenant, key: Any) -> None:
    answer = await put(tenant, key)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "api_key")
    assert not isinstance(key, str) or len(key) < 10 or key not in answer.text
    assert await connections(tenant) == {}


@pytest.mark.parametrize("secret", ["", "made by hand", 5, "whsec_"])
async def test_what_is_no_signing_secret_is_refused(tenant: Tenant, shop: StripeAccount, secret: Any) -> None:
    answer = await put(tenant, shop.secret_key, webhook_secret=secret)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "webhook_secret")


@pytest.mark.parametrize("kind", ["cut_before", "html_502", "server_error", "rate_limit"])
async def test_while_stripe_is_away_nothing_is_kept(tenant: Tenant, shop: StripeAccount, kind: str) -> None:
    tenant.world.stripe.faults.order(Fault(kind, count=1000))
    answer = await put(tenant, shop.secret_key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "stripe_unreachable")
    assert await connections(tenant) == {}


async def test_a_key_that_no_secret_opens_any_more_is_replaced_by_giving_one(
    tenant: Tenant, shop: StripeAccount
) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()["id"]
    async with tenant.world.resources.database.write() as session:
        row = await session.get_one(StripeConnection, first)
        row.api_key = Vault(["a secret that was lost"]).seal_text(shop.live_secret_key, key_row(first))
        session.add(row)
    again = await put(tenant, shop.live_secret_key)
    assert (again.status_code, again.json()["id"]) == (200, first)


async def test_another_key_of_the_same_stripe_account_is_a_rotation(tenant: Tenant, shop: StripeAccount) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()
    again = (await put(tenant, shop.add_restricted_key(LEAST, live=True))).json()
    assert (again["id"], len(await connections(tenant)), len(endpoints(shop))) == (first["id"], 1, 1)
    async with tenant.world.resources.database.read() as session:
        said = await session.exec(select(Audit.what).where(Audit.account_id == tenant.account.id))
    assert "Stripe key rotated" in said.all()


async def test_a_key_that_is_given_twice_in_one_moment_makes_one_connection(
    tenant: Tenant, shop: StripeAccount
) -> None:
    """A second press of the button; two connections of one Stripe account would hear of each payment twice."""
    answers = await asyncio.gather(*(put(tenant, shop.live_secret_key) for _ in range(3)))
    assert {answer.status_code for answer in answers} <= {200, 502}  # Stripe may say that the first is still at work
    ((id, row),) = (await connections(tenant)).items()
    assert {answer.json()["id"] for answer in answers if answer.status_code == 200} == {id}
    assert (row.state, len(endpoints(shop))) == ("active", 1)


async def test_processes_that_start_together_make_one_connection_of_the_environments_key(database_url: str) -> None:
    chosen = settings(database_url, stripe_api_key="sk_live_of_the_environment")
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(open_resources(chosen, MovableClock())) for _ in range(6)]
        await upgrade(processes[0].database)
        await asyncio.gather(*(ensure_environment(one, chosen) for one in processes))
        async with processes[0].database.read() as session:
            (row,) = (await session.exec(select(StripeConnection))).all()
    assert (row.source, row.state, row.livemode) == ("environment", "active", True)


@pytest.mark.parametrize("webhook", ["deleted", "by hand"])
async def test_where_our_webhook_can_not_be_read_a_session_of_ours_proves_the_stripe_account(
    tenant: Tenant, shop: StripeAccount, webhook: str
) -> None:
    by_hand = {"webhook_secret": "whsec_made_by_hand"} if webhook == "by hand" else {}
    allowed = without(*WEBHOOK) if by_hand else LEAST
    first = (await put(tenant, shop.add_restricted_key(allowed, live=True), **by_hand)).json()["id"]
    await _a_session(tenant, first)
    shop.shelves[True].endpoints.clear()
    again = (await put(tenant, shop.add_restricted_key(allowed, live=True), **by_hand)).json()
    assert (again["id"], list(await connections(tenant))) == (first, [first])
    other = tenant.world.stripe.add_account("Other")
    assert (await put(tenant, other.live_secret_key)).json()["error"]["code"] == "other_stripe_account"


async def _a_session(tenant: Tenant, connection_id: str) -> None:
    resources = tenant.world.resources
    api = stripe_api(resources, (await connections(tenant))[connection_id])
    asked = PaymentRequest(
        account_id=tenant.account.id, id="r1", lead_id=1, amount=5000, currency="USD", description="Sofa", content="x",
        link_token=connection_id[:16], created_at=0.0,
    )  # fmt: skip
    made = await api.create_session(
        session_params(asked, SessionContext(None, PUBLIC_URL, "https://acme.kommo.com")), f"r1:{connection_id}"
    )
    async with resources.database.write() as session:
        session.add(
            CheckoutSession(
                connection_id=connection_id,
                id=made["id"],
                account_id=tenant.account.id,
                request_id="r1",
                n=1,
                url=made["url"],
                expires_at=made["expires_at"],
                made_at=resources.clock(),
            )
        )


async def test_a_key_of_another_stripe_account_is_a_connection_and_the_first_drains(
    tenant: Tenant, shop: StripeAccount
) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()["id"]
    other = tenant.world.stripe.add_account("Other")
    second = (await put(tenant, other.live_secret_key, confirm_account=other.id)).json()["id"]
    states = {id: row.state for id, row in (await connections(tenant)).items()}
    assert states == {first: "draining", second: "active"}
    async with tenant.world.resources.database.read() as session:
        account = await session.get_one(Account, tenant.account.id)
        assert (await connection_for_button(session, account)).id == second
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    assert len(endpoints(shop)) == 1  # what is still under way there goes on being heard


async def test_a_stripe_account_that_comes_back_takes_up_its_old_connection(
    tenant: Tenant, shop: StripeAccount
) -> None:
    first = (await put(tenant, shop.live_secret_key)).json()["id"]
    other = tenant.world.stripe.add_account("Other")
    await put(tenant, other.live_secret_key, confirm_account=other.id)
    assert (await put(tenant, shop.live_secret_key)).json()["error"]["confirm_account"] == shop.id
    assert (await put(tenant, shop.live_secret_key, confirm_account=shop.id)).json()["id"] == first
    assert (await connections(tenant))[first].state == "active"


async def test_test_and_live_stand_beside_each_other_and_the_mode_decides(tenant: Tenant, shop: StripeAccount) -> None:
    live = (await put(tenant, shop.live_secret_key)).json()["id"]
    test = (await put(tenant, shop.secret_key)).json()["id"]
    assert {row.state for row in (await connections(tenant)).values()} == {"active"}
    assert (len(endpoints(shop, live=True)), len(endpoints(shop, live=False))) == (1, 1)
    assert [await _button(tenant, mode) for mode in ("", "test", "live")] == [live, test, live]


async def test_a_mode_without_a_connection_has_no_button(tenant: Tenant, shop: StripeAccount) -> None:
    await put(tenant, shop.secret_key)
    with pytest.raises(NotConnected, match="live mode"):
        await _button(tenant, "live")


async def _button(tenant: Tenant, mode: str) -> str:
    if mode:
        path = f"/admin/api/accounts/{tenant.account.id}/options"
        assert (await tenant.world.http.put(path, json={"mode": mode}, headers=ADMIN)).json()["mode"] == mode
    async with tenant.world.resources.database.read() as session:
        account = await session.get_one(Account, tenant.account.id)
        return (await connection_for_button(session, account)).id


@pytest.mark.parametrize(
    "change", [{"enabled_events": ["charge.failed"]}, {"url": "https://elsewhere.example/"}, {"status": "disabled"}]
)
async def test_a_webhook_that_somebody_changed_is_put_right(
    tenant: Tenant, shop: StripeAccount, change: dict[str, Any]
) -> None:
    connection_id = (await put(tenant, shop.live_secret_key)).json()["id"]
    (endpoint,) = endpoints(shop)
    endpoint.shown |= change
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    (endpoint,) = endpoints(shop)
    assert endpoint.enabled
    assert sorted(endpoint.shown["enabled_events"]) == EVENTS
    assert endpoint.shown["url"] == f"{PUBLIC_URL}/stripe/webhook/{connection_id}"


async def test_a_webhook_that_somebody_deleted_is_made_again_with_a_secret_of_its_own(
    tenant: Tenant, shop: StripeAccount
) -> None:
    connection_id = (await put(tenant, shop.live_secret_key)).json()["id"]
    shop.shelves[True].endpoints.clear()
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    (made,) = endpoints(shop)
    known = secrets_of(tenant.world.resources, (await connections(tenant))[connection_id])
    assert (len(known), known[0]) == (2, next(iter(made.secrets)))


async def test_a_webhook_of_another_version_is_replaced_and_both_are_heard_until_its_retries_are_over(
    tenant: Tenant, shop: StripeAccount
) -> None:
    """What Stripe could not deliver yet is tried for three days, at the endpoint it was made for."""
    resources, clock = tenant.world.resources, tenant.world.clock
    assert isinstance(clock, MovableClock)
    connection_id = (await put(tenant, shop.live_secret_key)).json()["id"]
    (old,) = endpoints(shop)
    old.shown["api_version"] = "2023-08-16"
    await ensure_endpoints(resources, tenant.account.id)
    (_, new) = endpoints(shop)
    assert secrets_of(resources, (await connections(tenant))[connection_id]) == [*new.secrets, *old.secrets]
    await ensure_endpoints(resources, tenant.account.id)
    assert endpoints(shop) == [old, new]
    clock.advance(FORMER_SECONDS + 1)
    by_hand = Endpoint(old.shown | {"id": "we_by_hand", "description": "Ours, by hand"}, {}, lambda: "2023-08-16")
    shop.shelves[True].endpoints["we_by_hand"] = by_hand
    await ensure_endpoints(resources, tenant.account.id)
    assert endpoints(shop) == [new, by_hand]


async def test_a_key_that_lost_a_permission_is_reported_and_stops_no_account(
    tenant: Tenant, shop: StripeAccount
) -> None:
    key = shop.add_restricted_key(LEAST, live=True)
    connection_id = (await put(tenant, key)).json()["id"]
    shop.add_key(key, without(*WEBHOOK))
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    assert "lacks the permission rak_webhook" in (await connections(tenant))[connection_id].problem
    shop.add_key(key, LEAST)
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    assert (await connections(tenant))[connection_id].problem == ""


async def test_a_key_that_stripe_forgot_is_told(tenant: Tenant, shop: StripeAccount) -> None:
    connection_id = (await put(tenant, shop.live_secret_key)).json()["id"]
    shop.remove_key(shop.live_secret_key)
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    assert "refused" in (await connections(tenant))[connection_id].problem


async def test_an_answer_that_got_lost_makes_no_second_webhook(tenant: Tenant, shop: StripeAccount) -> None:
    """Its secret is in that answer only: the same call with the same key tells it again."""
    await put(tenant, shop.live_secret_key)
    shop.shelves[True].endpoints.clear()
    tenant.world.stripe.faults.order(Fault("cut_after", "/v1/webhook_endpoints", "POST", count=3))
    with pytest.raises(Unreachable):
        await ensure_endpoints(tenant.world.resources, tenant.account.id)
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    (made,) = endpoints(shop)
    (row,) = (await connections(tenant)).values()
    assert secrets_of(tenant.world.resources, row)[0] == next(iter(made.secrets))


@pytest.mark.parametrize("kind", ["server_error", "server_error_after"])
async def test_a_fault_of_stripes_that_it_repeats_to_a_key_is_got_over(
    tenant: Tenant, shop: StripeAccount, kind: str
) -> None:
    await put(tenant, shop.live_secret_key)
    shop.shelves[True].endpoints.clear()
    tenant.world.stripe.faults.order(Fault(kind, "/v1/webhook_endpoints", "POST", count=1))
    with pytest.raises(Unreachable):
        await ensure_endpoints(tenant.world.resources, tenant.account.id)
    await ensure_endpoints(tenant.world.resources, tenant.account.id)
    (made,) = endpoints(shop)
    (row,) = (await connections(tenant)).values()
    assert secrets_of(tenant.world.resources, row)[0] == next(iter(made.secrets))


async def test_keys_and_signing_secrets_lie_sealed(tenant: Tenant, shop: StripeAccount) -> None:
    key = shop.add_restricted_key(LEAST, live=True)
    await put(tenant, key, webhook_secret="whsec_made_by_hand")
    (row,) = (await connections(tenant)).values()
    kept = repr(row.model_dump())
    assert [one for one in (key, "whsec_made_by_hand", *endpoints(shop)[0].secrets) if one in kept] == []


async def test_a_sealed_key_opens_in_its_own_row_only(tenant: Tenant, shop: StripeAccount) -> None:
    await put(tenant, shop.live_secret_key)
    await put(tenant, shop.secret_key)
    first, second = (await connections(tenant)).values()
    async with tenant.world.resources.database.write() as session:
        other = update(StripeConnection).where(col(StripeConnection.id) == second.id)
        await session.exec(other.values(webhook_secrets=first.webhook_secrets))
    moved = (await connections(tenant))[second.id]
    with pytest.raises(Exception, match="no key in SECRET_KEYS opens it"):
        secrets_of(tenant.world.resources, moved)
