"""Money whose webhooks never came: it is found in Stripe's own list, and booked as if they had."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlmodel import update

from backend.inbox.backfill import MANY_DEALS, look_for_missed
from backend.storage.models import Audit, InboxEvent, StripeConnection
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.stripe import StripeWorld
from sandbox.stripe.lives.foreign import Foreign
from sandbox.stripe.traffic.faults import Fault
from tests.world import World, open_world

HOUR = 3600.0


def deaf(product: World) -> None:
    """Somebody disables the endpoint in Stripe's dashboard: nothing is delivered, now or later."""
    for endpoint in product.stripe.default_account.shelves[True].endpoints.values():
        endpoint.shown["status"] = "disabled"


async def paid_unheard(product: World, lead_id: int) -> None:
    await product.pay(await product.link(lead_id))
    await product.quiet()
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Pending"


async def all_paid_unheard(product: World, clock: MovableClock, leads: Sequence[int]) -> None:
    """In portions that one representative may ask for in a row."""
    for start in range(0, len(leads), 10):
        await asyncio.gather(*(paid_unheard(product, lead_id) for lead_id in leads[start : start + 10]))
        clock.advance(10)


async def listened(product: World) -> list[InboxEvent]:
    """The hourly look, and what it brought is worked in."""
    await look_for_missed(product.resources)
    await product.quiet()
    return [event for event in await product.rows(InboxEvent) if event.source != "webhook"]


async def test_a_payment_that_no_webhook_told_of_is_booked(product: World, clock: MovableClock) -> None:
    lead_id = product.lead()
    deaf(product)
    await paid_unheard(product, lead_id)
    clock.advance(2 * HOUR)
    assert {event.state for event in await listened(product)} == {"done"}
    await product.until(lambda: product.deal(lead_id)["status"] == "Paid" and product.notes(lead_id))
    assert product.fields(lead_id)["STRIPE_AMOUNT_PAID"] == "120"
    (told,) = [row for row in await product.rows(Audit) if row.what == "webhooks that did not arrive"]
    assert told.after["events"] > 0


async def test_what_was_delivered_is_not_taken_twice(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    clock.advance(2 * HOUR)
    assert await listened(product) == []
    assert len(product.notes(lead_id)) == 1
    assert not [row for row in await product.rows(Audit) if row.what == "webhooks that did not arrive"]


async def test_what_is_on_its_way_is_waited_for(product: World, clock: MovableClock) -> None:
    lead_id = product.lead()
    clock.advance(2 * HOUR)
    deaf(product)
    await paid_unheard(product, lead_id)
    clock.advance(60)
    assert await listened(product) == []
    clock.advance(2 * HOUR)
    assert await listened(product)


async def test_while_stripe_is_away_nothing_counts_as_looked_at(product: World, clock: MovableClock) -> None:
    lead_id = product.lead()
    deaf(product)
    await paid_unheard(product, lead_id)
    clock.advance(2 * HOUR)
    product.stripe.faults.order(Fault("cut_before", "/v1/events*", count=3))
    assert await listened(product) == []
    assert await listened(product)


async def test_days_of_silence_are_read_in_parts(product: World, clock: MovableClock) -> None:
    deals = [product.lead() for _ in range(3)]
    deaf(product)
    for lead_id in deals:
        await paid_unheard(product, lead_id)
        clock.advance(36 * HOUR)
    await listened(product)
    await product.until(lambda: all(product.fields(one)["STRIPE_PAYMENT_STATUS"] == "Paid" for one in deals))
    (connection,) = await product.rows(StripeConnection)
    assert product.resources.clock() - connection.heard_to < HOUR


async def test_so_many_missed_deals_do_not_move_by_themselves(product: World, clock: MovableClock) -> None:
    """Each move may start a bot that writes to a client."""
    deals = [product.lead() for _ in range(MANY_DEALS + 1)]
    deaf(product)
    await all_paid_unheard(product, clock, deals)
    stages = [product.deal(lead_id)["status"] for lead_id in deals]
    clock.advance(2 * HOUR)
    await listened(product)
    await product.until(lambda: all(product.fields(one)["STRIPE_PAYMENT_STATUS"] == "Paid" for one in deals))
    await product.quiet()
    assert [product.deal(lead_id)["status"] for lead_id in deals] == stages


@pytest.mark.full
async def test_many_are_counted_over_all_days_of_one_look(product: World, clock: MovableClock) -> None:
    deals = [product.lead() for _ in range(MANY_DEALS)]
    deaf(product)
    await all_paid_unheard(product, clock, deals)
    clock.advance(36 * HOUR)
    one_too_many = product.lead()
    await paid_unheard(product, one_too_many)
    stage = product.deal(one_too_many)["status"]
    clock.advance(2 * HOUR)
    await listened(product)
    await product.until(lambda: all(product.deal(one)["status"] == "Paid" for one in deals))
    await product.until(lambda: product.fields(one_too_many)["STRIPE_PAYMENT_STATUS"] == "Paid")
    await product.quiet()
    assert product.deal(one_too_many)["status"] == stage


async def test_the_list_is_asked_for_once_an_hour(product: World, clock: MovableClock) -> None:
    async def looked() -> float:
        await look_for_missed(product.resources)
        (connection,) = await product.rows(StripeConnection)
        return float(connection.heard_to)

    clock.advance(2 * HOUR)
    before = await looked()
    clock.advance(0.9 * HOUR)
    assert await looked() == before
    clock.advance(0.2 * HOUR)
    assert await looked() > before


async def test_other_sellers_in_the_same_stripe_account_stay_foreign(product: World, clock: MovableClock) -> None:
    deaf(product)
    for _ in range(MANY_DEALS + 1):
        product.stripe.foreign_payment(Foreign("intent", metadata={"shop": "other"}), live=True)
    lead_id = product.lead()
    await paid_unheard(product, lead_id)
    clock.advance(2 * HOUR)
    foreign = [event for event in await listened(product) if event.state == "foreign"]
    assert len(foreign) >= MANY_DEALS + 1
    assert not any(event.body for event in foreign)
    await product.until(lambda: product.deal(lead_id)["status"] == "Paid")


async def test_a_connection_of_an_earlier_release_begins_now(product: World, clock: MovableClock) -> None:
    deaf(product)
    await paid_unheard(product, product.lead())
    async with product.resources.database.write() as session:
        await session.exec(update(StripeConnection).values(heard_to=0.0))
    clock.advance(2 * HOUR)
    assert await listened(product) == []
    (connection,) = await product.rows(StripeConnection)
    assert connection.heard_to == pytest.approx(clock(), abs=60)


@pytest.fixture(params=["oldest_first", "legacy"])
async def otherwise(request: pytest.FixtureRequest, sqlite_url: str, clock: MovableClock) -> AsyncIterator[World]:
    """The list in another order, or in the account's old version whatever the endpoint's is."""
    name = {"oldest_first": "events_order", "legacy": "account_default_version"}[request.param]
    worlds = KommoWorld(clock), StripeWorld(clock, switches={name: request.param})
    async with open_world(sqlite_url, clock=clock, worlds=worlds) as one:
        yield one


async def test_the_list_may_be_in_any_order_and_version(otherwise: World, clock: MovableClock) -> None:
    lead_id = otherwise.lead()
    deaf(otherwise)
    for _ in range(101):  # more than a page
        otherwise.stripe.foreign_payment(Foreign("intent", metadata={"shop": "other"}), live=True)
    await paid_unheard(otherwise, lead_id)
    clock.advance(2 * HOUR)
    assert len(await listened(otherwise)) >= 102
    await otherwise.until(lambda: otherwise.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid")


async def test_a_key_that_may_not_read_events_stops_nothing(product: World, clock: MovableClock) -> None:
    (connection,) = await product.rows(StripeConnection)
    key = product.stripe.default_account.add_restricted_key(
        {"rak_checkout_session_write", "rak_webhook_write"}, live=True
    )
    url = f"{product.url}/admin/api/accounts/{product.account.id}/stripe"
    answer = await product.http.put(url, json={"api_key": key}, headers=product.admin)
    assert answer.status_code == 200, answer.text
    assert "rak_event_read" in answer.json()["missing_permissions"]
    clock.advance(2 * HOUR)
    await look_for_missed(product.resources)
    (after,) = await product.rows(StripeConnection)
    assert after.heard_to == connection.heard_to
