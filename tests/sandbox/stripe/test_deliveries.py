"""How events reach the shop: signed, again and again, in any order (docs/facts/stripe.md D)."""

import asyncio
from typing import Any

import httpx
import stripe

from sandbox.clock import MovableClock
from sandbox.stripe import StripeWorld
from tests.sandbox.stripe.conftest import LEGACY, Listen, Listener, payment_params, subscription_params, until


async def pay(world: StripeWorld, client: stripe.StripeClient, params: Any = None) -> str:
    session = await client.v1.checkout.sessions.create_async(params or payment_params())
    world.pay_session(session.id)
    return session.id


async def test_a_refused_event_comes_again_signed_anew(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    endpoint = await listen("payment_intent.succeeded")
    listener.answers = [500, 302]
    await pay(world, client)
    for tries in (1, 2, 3):
        await until(lambda tries=tries: len(listener.got) == tries)  # type: ignore[misc]
        await until(lambda: not world.courier.deliveries[0].under_way)
        world.advance(4 * 3600)
    headers, body = listener.got[2]
    stamps = [got["stripe-signature"].split(",")[0] for got, _ in listener.got]
    assert len(set(stamps)) == 3
    stripe.WebhookSignature.verify_header(body, headers["stripe-signature"], endpoint.secret or "", tolerance=None)
    assert world.courier.deliveries[0].status == "succeeded"
    assert world.courier.deliveries[0].answers == [500, 302, 200]


async def test_test_mode_gives_up_after_three_more_tries(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    await listen("payment_intent.succeeded")
    listener.answers = [400] * 9
    world.courier.pace = 0.0
    await pay(world, client)
    await until(lambda: world.courier.deliveries[0].status == "failed")
    assert len(listener.got) == 4


async def test_a_delivery_to_a_closed_port_is_a_failed_attempt(world: StripeWorld, client: stripe.StripeClient) -> None:
    params: Any = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["payment_intent.succeeded"]}
    await client.v1.webhook_endpoints.create_async(params)
    await pay(world, client)
    await until(lambda: bool(world.courier.deliveries[0].answers))
    assert world.courier.deliveries[0].answers == ["ConnectError"]


async def test_only_enabled_events_of_the_endpoints_mode_are_sent(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    await listen("checkout.session.completed")
    world.foreign_payment(live=True)
    await pay(world, client)
    await until(lambda: len(listener.got) == 1)
    await asyncio.sleep(0.1)
    assert listener.types == ["checkout.session.completed"]


async def test_held_deliveries_go_in_the_order_asked_for(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen, visitor: httpx.AsyncClient
) -> None:
    await listen("payment_intent.created", "payment_intent.succeeded", "checkout.session.completed")
    await visitor.post("/_sandbox/deliveries/settings", json={"held": True, "at_once": 1, "copies": 2})
    await pay(world, client)
    await asyncio.sleep(0.1)
    assert listener.types == []
    await visitor.post("/_sandbox/deliveries/release", json={"order": "reversed"})
    await until(lambda: len(listener.got) == 6)
    assert listener.types[::2] == ["checkout.session.completed", "payment_intent.succeeded", "payment_intent.created"]
    assert listener.types[::2] == listener.types[1::2]


async def test_an_event_can_be_sent_again(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen, visitor: httpx.AsyncClient
) -> None:
    await listen("checkout.session.completed")
    await pay(world, client)
    await until(lambda: len(listener.got) == 1)
    await visitor.post(f"/_sandbox/events/{listener.events[0]['id']}/redeliver")
    await until(lambda: len(listener.got) == 2)
    assert listener.events[0]["id"] == listener.events[1]["id"]


async def test_while_a_secret_is_rolled_both_sign(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    endpoint = await listen("payment_intent.succeeded")
    old, fresh = endpoint.secret or "", world.roll_secret(endpoint.id, keep_seconds=60)
    await pay(world, client)
    await until(lambda: len(listener.got) == 1)
    world.advance(61)
    await pay(world, client)
    await until(lambda: len(listener.got) == 2)
    counts = [headers["stripe-signature"].count("v1=") for headers, _ in listener.got]
    assert counts == [2, 1]
    headers, body = listener.got[0]
    for secret in (old, fresh):
        assert stripe.WebhookSignature.verify_header(body, headers["stripe-signature"], secret)


async def test_an_old_endpoint_gets_old_shapes(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    await listen("invoice.paid", "invoice_payment.paid", version=LEGACY)
    await pay(world, client, subscription_params())
    await until(lambda: len(listener.got) == 1)
    event = listener.events[0]
    assert event["api_version"] == LEGACY
    assert event["data"]["object"]["subscription_details"]["metadata"]["kommo_lead_id"] == "4711"
    assert event["data"]["object"]["payment_intent"].startswith("pi_")


async def test_a_disabled_or_deleted_endpoint_gets_nothing(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    first, second = await listen("*"), await listen("*")
    await client.v1.webhook_endpoints.update_async(first.id, {"disabled": True})
    await client.v1.webhook_endpoints.delete_async(second.id)
    await pay(world, client)
    assert world.courier.deliveries == []


async def test_events_are_listed_newest_first_and_by_delivery(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    await listen("payment_intent.succeeded")
    listener.answers = [500]
    await pay(world, client)
    await until(lambda: bool(world.courier.deliveries[0].answers))
    types: Any = {"types": ["payment_intent.succeeded", "checkout.session.completed"]}
    listed = await client.v1.events.list_async(types)
    assert [event.type for event in listed] == ["checkout.session.completed", "payment_intent.succeeded"]
    failed = await client.v1.events.list_async({"delivery_success": False})
    assert [event.type for event in failed] == ["payment_intent.succeeded"]
    world.advance(31 * 86400)
    assert (await client.v1.events.list_async()).data == []


async def test_a_courier_that_is_stopped_as_something_arrives_stops() -> None:
    courier = StripeWorld(MovableClock()).courier
    working = asyncio.create_task(courier.run())
    await asyncio.sleep(0.01)
    courier.release()  # wakes it at the moment in which it is cancelled
    working.cancel()
    done, _ = await asyncio.wait([working], timeout=5)
    assert (done, working.cancelled()) == ({working}, True)
