"""The Stripe account behind links that were sent is being given up: they are carried on by the one that is connected
now, and never while somebody could still pay by the old one. Removing it is in ``tests/accounts``."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from sqlmodel import select
from stripe import WebhookSignature

from backend.accounts.stripe.connections import secret_row
from backend.payments.checkout.sessions import SessionOrder, commit_session, make
from backend.payments.find import MARGIN_SECONDS, find_request
from backend.storage.models import CheckoutSession, InboxEvent, StripeConnection
from sandbox.clock import MovableClock
from sandbox.stripe.objects.accounts import Account as StripeAccount
from tests.world import CONNECTION, World, open_world

pytestmark = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.full])], indirect=True
)

ADMIN = {"Authorization": "Bearer admin-token-of-the-tests"}
SECRET = "whsec_ofthetests"
DAY = 86400


@pytest.fixture
async def shop(database_url: str, anyio_backend: str) -> AsyncIterator[World]:
    """On both databases: SQLite lets one writer in at a time and hides what PostgreSQL shows."""
    async with open_world(database_url, clock=MovableClock(), worker=False) as opened:
        yield opened


async def give_up(shop: World, *, revoked: bool = True) -> StripeAccount:
    """Another Stripe account is connected, and the key of the one before revoked; the other one."""
    other = shop.stripe.add_account("Other")
    path = f"/admin/api/accounts/{shop.kommo.account.id}/stripe"
    answer = await shop.http.put(path, json={"api_key": other.secret_key, "confirm_account": other.id}, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    if revoked:
        shop.stripe.default_account.remove_key(shop.stripe.default_account.secret_key)
    return other


async def remove(shop: World) -> httpx.Response:
    return await shop.http.delete(f"/admin/api/accounts/{shop.kommo.account.id}/stripe/{CONNECTION}", headers=ADMIN)


def sessions(account: StripeAccount) -> list[dict[str, Any]]:
    return list(account.shelves[False].objects.get("checkout.session", {}).values())


async def hear(shop: World, event: dict[str, Any]) -> httpx.Response:
    """A webhook of the old Stripe account."""
    async with shop.resources.database.write() as session:
        row = await session.get_one(StripeConnection, CONNECTION)
        if row.state != "removed" and not row.given_secrets:
            row.given_secrets = [shop.resources.vault.seal_text(SECRET, secret_row(CONNECTION))]
            session.add(row)
    body = orjson.dumps(event)
    header = WebhookSignature.generate_signature_header(body.decode(), SECRET, timestamp=int(shop.clock()))
    return await shop.http.post(f"/stripe/webhook/{CONNECTION}", content=body, headers={"Stripe-Signature": header})


def completed(shop: World) -> dict[str, Any]:
    """The event of the session that was paid last."""
    event = next(one for one in reversed(shop.stripe.events) if one.type == "checkout.session.completed")
    session = shop.checkout.session | {"status": "complete", "payment_status": "paid"}
    return {"id": event.id, "object": "event", "type": event.type, "created": int(shop.clock()), "livemode": False,
            "data": {"object": session}}  # fmt: skip


async def test_while_the_old_session_may_be_paid_no_other_is_made(shop: World) -> None:
    request = await shop.rep.create()
    other = await give_up(shop)
    for seconds in (120.0, DAY - 240.0, MARGIN_SECONDS):
        shop.stripe.advance(seconds)
        answer = await shop.open(request["url"])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3600")
        assert "can be paid later" in answer.text
    assert sessions(other) == []


async def test_once_its_time_is_over_the_link_goes_on_where_stripe_is_connected_now(shop: World) -> None:
    path = urlsplit((await shop.rep.create())["url"]).path
    other = await give_up(shop)
    shop.stripe.advance(DAY + MARGIN_SECONDS + 1)
    async with shop.another_web() as second:
        answers = await asyncio.gather(*(http.get(path) for http in (shop.http, second) * 4))
    open_ones = [one for one in sessions(other) if one["status"] == "open"]
    assert len(open_ones) == 1
    assert {answer.headers.get("location") for answer in answers} == {open_ones[0]["url"]}
    shop.stripe.pay_session(open_ones[0]["id"])
    await shop.rep.check()
    assert (await shop.rep.deal())["state"] == "paid"
    again = await shop.open(path)
    assert (again.status_code, [one["status"] for one in sessions(other)].count("open")) == (200, 0)


async def test_an_unprocessed_event_of_a_payment_keeps_the_link_closed(shop: World) -> None:
    request = await shop.rep.create()
    other = await give_up(shop)
    shop.stripe.pay_session(shop.checkout.session["id"])
    assert (await hear(shop, completed(shop))).status_code == 200
    shop.stripe.advance(2 * DAY)
    answer = await shop.open(request["url"])
    assert (answer.status_code, "One moment" in answer.text, sessions(other)) == (503, True, [])


async def test_what_was_paid_before_is_never_payable_again(shop: World) -> None:
    request = await shop.paid()
    other = await give_up(shop)
    for _ in range(2):
        shop.stripe.advance(2 * DAY)
        assert (await shop.open(request["url"])).status_code == 200
        await remove(shop)
    assert sessions(other) == []


async def test_a_key_that_may_not_expire_is_waited_for_as_well(shop: World) -> None:
    request = await shop.rep.create()
    account = shop.stripe.default_account
    await give_up(shop, revoked=False)
    await shop.stored.use_stripe_key(account.add_restricted_key(["rak_checkout_session_read"]))
    shop.stripe.advance(DAY - 600)
    answer = await shop.open(request["url"])
    assert (answer.status_code, "can be paid later" in answer.text) == (503, True)


async def test_the_key_in_use_that_is_refused_is_trouble_and_nothing_else(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.default_account.remove_key(shop.stripe.default_account.secret_key)
    shop.stripe.advance(2 * DAY)
    assert "at the moment" in (await shop.open(request["url"])).text
    assert (await shop.rep.post(f"/widget/deals/{shop.first_deal.id}/check")).json()["error"]["code"] == "not_connected"


async def test_when_the_connected_account_refuses_the_client_is_not_told_to_wait(shop: World) -> None:
    request = await shop.rep.create()
    other = await give_up(shop)
    other.remove_key(other.secret_key)
    shop.stripe.advance(2 * DAY)
    assert "This can&#39;t be paid right now" in (await shop.open(request["url"])).text


async def test_a_rep_cancels_it_once_nobody_can_pay_it_any_more(shop: World) -> None:
    request = await shop.rep.create()
    await give_up(shop)
    early = await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    assert (early.status_code, "UTC" in early.json()["error"]["message"]) == (409, True)
    assert (await shop.rep.post(f"/widget/deals/{shop.first_deal.id}/check")).status_code == 202
    shop.stripe.advance(2 * DAY)
    assert (await shop.rep.post(f"/widget/requests/{request['id']}/cancel")).json()["state"] == "cancelled"


async def test_a_client_who_comes_back_from_the_old_checkout_sees_no_error(shop: World) -> None:
    request = await shop.rep.create()
    await give_up(shop)
    assert "do not pay a second time" in (await shop.open(f"{request['url']}/thanks")).text


async def test_removing_ends_what_can_be_paid_and_the_link_goes_on_at_once(shop: World) -> None:
    request = await shop.rep.create()
    other = await give_up(shop, revoked=False)
    assert (await remove(shop)).json() == {"removed": True}
    assert shop.checkout.payable == []
    answer = await shop.open(request["url"])
    assert (answer.status_code, [one["url"] for one in sessions(other)]) == (303, [answer.headers["location"]])


async def test_the_young_session_of_a_removed_connection_is_shown_to_no_client(shop: World) -> None:
    request = await shop.rep.create()
    other = await give_up(shop)
    warning = (await remove(shop)).json()["warning"]
    assert "closed at Stripe: 1." in warning
    assert "webhook could not be deleted" in warning
    assert (await shop.open(request["url"])).status_code == 503
    shop.stripe.advance(DAY + MARGIN_SECONDS + 1)
    assert (await shop.open(request["url"])).headers["location"] == sessions(other)[-1]["url"]


async def test_what_a_client_paid_in_that_moment_is_booked_and_not_asked_for_again(shop: World) -> None:
    request = await shop.rep.create()
    other = await give_up(shop, revoked=False)
    shop.stripe.pay_session(shop.checkout.session["id"])
    assert (await remove(shop)).status_code == 200
    assert (await shop.rep.deal())["state"] == "paid"
    assert ((await shop.open(request["url"])).status_code, sessions(other)) == (200, [])


async def test_while_a_client_is_paying_it_is_not_removed(shop: World) -> None:
    await shop.rep.create()
    await give_up(shop, revoked=False)
    shop.stripe.start_paying(shop.checkout.session["id"])
    answer = await remove(shop)
    assert (answer.status_code, "is paying" in answer.json()["error"]["message"]) == (409, True)


async def test_a_session_that_was_under_way_is_not_kept_by_a_connection_that_is_gone(shop: World) -> None:
    """Begun by a replica before the other account was connected: nobody would hear of what is paid there."""
    request = await shop.rep.create()
    link = await find_request(shop.resources, shop.kommo.account.id, request["id"])
    wish = SessionOrder(link.request, link.holder, 2)
    answer = await make(shop.resources, wish)
    await give_up(shop, revoked=False)
    await remove(shop)
    assert not await commit_session(shop.resources, wish, answer)
    async with shop.resources.database.read() as session:
        assert [row.n for row in (await session.exec(select(CheckoutSession))).all()] == [1]
    assert (await find_request(shop.resources, shop.kommo.account.id, request["id"])).request.session_n == 1


async def test_openings_and_the_removal_at_once_leave_one_payable_session(shop: World) -> None:
    path = urlsplit((await shop.rep.create())["url"]).path
    other = await give_up(shop, revoked=False)
    shop.stripe.advance(DAY - 600)
    async with shop.another_web() as second:
        first, *_ = await asyncio.gather(remove(shop), *(http.get(path) for http in (shop.http, second) * 3))
    assert first.status_code == 200, first.text
    assert shop.checkout.payable == []
    assert [one["status"] for one in sessions(other)].count("open") == 1


async def test_a_payment_of_a_removed_connection_stays_and_is_refunded_at_stripe(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.checkout.session["payment_intent"]
    await give_up(shop, revoked=False)
    await remove(shop)
    answer = await shop.rep.refund(payment)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert "no longer connected" in answer.json()["error"]["message"]
    deal = await shop.rep.deal()
    assert (deal["state"], [one["id"] for one in deal["payments"]]) == ("paid", [payment])


async def test_an_unsettled_refund_keeps_the_connection(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    shop.checkout.fault("html_502", "/v1/refunds", count=3)
    assert (await shop.rep.refund(shop.checkout.session["payment_intent"])).status_code == 502
    await give_up(shop, revoked=False)
    assert (await remove(shop)).status_code == 409
    shop.stripe.advance(3601)
    assert (await remove(shop)).status_code == 200


async def test_a_webhook_of_a_removed_connection_is_stored_for_no_account(shop: World) -> None:
    await shop.rep.create()
    await give_up(shop, revoked=False)
    shop.stripe.pay_session(shop.checkout.session["id"])
    assert (await hear(shop, completed(shop))).status_code == 200
    await remove(shop)
    shop.clock.advance(3)
    assert (await hear(shop, completed(shop) | {"id": "evt_late"})).status_code == 404
    async with shop.resources.database.read() as session:
        assert await session.get(InboxEvent, (CONNECTION, "evt_late")) is None
