"""The main job: a rep asks, a client pays, the deal shows it; once, in any order of events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import permutations

import pytest

from backend.storage.models import InboxEvent
from sandbox.stripe import Payer
from tests.world import World, open_world


async def test_a_paid_link_makes_the_deal_paid(database_url: str) -> None:
    async with open_world(database_url) as product:
        lead_id = await product.paid_deal("120.00", "USD")
        fields = product.fields(lead_id)
        assert fields["STRIPE_PAYMENT_STATUS"] == "Paid"
        assert float(fields["STRIPE_AMOUNT_PAID"]) == 120
        assert fields["STRIPE_CURRENCY"] == "USD"
        assert fields["STRIPE_PAYMENT_INTENT"].startswith("pi_")
        assert product.deal(lead_id)["status"] == "Paid"
        (note,) = product.notes(lead_id)
        assert "120.00 USD" in note.params["text"]
        assert fields["STRIPE_PAYMENT_INTENT"] in note.params["text"]


async def test_a_request_writes_pending_and_its_link(product: World) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_LINK") == link)
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Pending"
    assert product.notes(lead_id) == []


@pytest.mark.parametrize("order", [0, 1, 2, *(pytest.param(one, marks=pytest.mark.full) for one in (3, 4, 5))])
async def test_the_events_of_a_payment_in_any_order_and_doubled_write_it_once(product: World, order: int) -> None:
    product.stripe.courier.held = True
    lead_id = product.lead()
    await product.pay(await product.link(lead_id))
    named = {"checkout.session.completed", "payment_intent.succeeded"}
    waiting = [d for d in product.stripe.courier.deliveries if d.event.type in named]
    chosen = list(permutations(range(3)))[order]
    events = [*(waiting[index % len(waiting)].event.id for index in chosen)] * 2
    product.stripe.courier.held = False
    for event_id in events:
        product.stripe.redeliver(event_id)
        await product.quiet()
    fields = product.fields(lead_id)
    assert (float(fields["STRIPE_AMOUNT_PAID"]), fields["STRIPE_PAYMENTS"]) == (120, "1")
    assert len(product.notes(lead_id)) == 1
    assert len(product.deal(lead_id)["moves"]) == 1


@pytest.mark.parametrize(
    ("currency", "amount", "at_stripe"),
    [("JPY", "500", 500), ("KWD", "1.500", 1500), ("ISK", "5000", 500000), ("UGX", "4000", 400000)],
)
async def test_amounts_are_right_from_the_form_to_the_deal(
    product: World, currency: str, amount: str, at_stripe: int
) -> None:
    lead_id = await product.paid_deal(amount, currency)
    session = next(product.stripe.default_account.shelves[True].newest("checkout.session"))
    assert (session["amount_total"], session["currency"]) == (at_stripe, currency.lower())
    assert float(product.fields(lead_id)["STRIPE_AMOUNT_PAID"]) == float(amount)


async def test_a_subscriptions_payment_reaches_the_deal_and_each_renewal_adds_a_note(product: World) -> None:
    lead_id = product.lead()
    await product.pay(await product.link(lead_id, mode="subscription", interval="month"))
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    shelf = product.stripe.default_account.shelves[True]
    product.stripe.renew_subscription(next(shelf.newest("subscription"))["id"])
    await product.until(lambda: len(product.notes(lead_id)) == 2)
    await product.quiet()
    fields = product.fields(lead_id)
    assert (float(fields["STRIPE_AMOUNT_PAID"]), fields["STRIPE_PAYMENTS"]) == (240, "2")
    assert len(product.deal(lead_id)["moves"]) == 1


async def test_a_delayed_payment_is_processing_and_then_paid(product: World) -> None:
    lead_id = product.lead()
    await product.pay(await product.link(lead_id), Payer("delayed"))
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Processing")
    assert product.notes(lead_id) == []
    product.stripe.settle_payment(next(product.stripe.default_account.shelves[True].newest("payment_intent"))["id"])
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid")


async def test_a_refund_and_a_dispute_show_in_the_deal(product: World) -> None:
    lead_id = await product.paid_deal()
    payment = product.fields(lead_id)["STRIPE_PAYMENT_INTENT"]
    product.stripe.refund(payment, 2000)
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
    assert float(product.fields(lead_id)["STRIPE_REFUNDED"]) == 20
    dispute = product.stripe.open_dispute(payment)
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Disputed")
    product.stripe.close_dispute(dispute["id"], "won")
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
    await product.quiet()
    texts = [note.params["text"] for note in product.notes(lead_id)]
    assert len(set(texts)) == len(texts)
    assert len(product.deal(lead_id)["moves"]) == 1


async def test_a_foreign_payment_leaves_no_body_and_no_call(product: World) -> None:
    calls = len(product.stripe.seen)
    product.stripe.foreign_payment(live=True)
    await product.quiet()
    events = [event for event in await product.rows(InboxEvent) if event.state != "ignored"]
    assert {event.state for event in events} == {"foreign"}
    assert {event.body for event in events} == {None}
    assert len(product.stripe.seen) == calls


@asynccontextmanager
async def _in_test_mode(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url, more={"stripe_api_key": "sk_test_sandbox1"}, connected=False) as product:
        begun = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
        agreed = await product.http.get(f"{begun.headers['location']}&auto=allow")
        await product.http.get(agreed.headers["location"])
        await product.until(lambda: product.stripe.default_account.shelves[False].endpoints)
        yield product


async def test_the_first_live_key_ends_the_test_and_takes_its_money_off_the_deals(database_url: str) -> None:
    """Nobody chose a mode: it is live as soon as there is a live connection."""
    async with _in_test_mode(database_url) as product:
        lead_id = await product.paid_deal()
        assert float(product.fields(lead_id)["STRIPE_AMOUNT_PAID"]) == 120
        path = f"{product.url}/admin/api/accounts/{product.account.id}/stripe"
        answer = await product.http.put(path, json={"api_key": "sk_live_sandbox1"}, headers=product.admin)
        assert (answer.status_code, answer.json()["livemode"]) == (200, True)
        await product.quiet()
        assert [name for name, value in product.fields(lead_id).items() if value and name.startswith("STRIPE_")] == []


async def test_test_money_is_marked_and_moves_only_tagged_deals(database_url: str) -> None:
    async with _in_test_mode(database_url) as product:
        plain, tagged = product.lead("Plain"), product.lead("Tagged")
        product.kommo.person().tag_lead(tagged, "stripe-test")
        for lead_id in (plain, tagged):
            await product.pay(await product.link(lead_id))
        await product.until(lambda: product.notes(plain) and product.notes(tagged))
        await product.quiet()
        assert product.notes(plain)[0].params["text"].partition("] ")[2].startswith("TEST ")
        assert (len(product.deal(plain)["moves"]), len(product.deal(tagged)["moves"])) == (0, 1)
