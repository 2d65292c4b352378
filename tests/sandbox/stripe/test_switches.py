"""Each open point of the facts can be played both ways, and it shows on the wire."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

import sandbox.stripe
from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.delivery.events import reaches
from sandbox.stripe.doubts.switches import SWITCHES, Switches
from tests.sandbox.stripe.conftest import Client, payment_params, subscription_params
from tests.sandbox.stripe.lives import everything, new_session

INVOICED = payment_params(invoice_creation={"enabled": True})


def lived(**chosen: str) -> tuple[StripeWorld, Callable[[Any], Any]]:
    world = StripeWorld(lambda: 1_795_430_000.0, switches=chosen, seed=2)
    return world, lambda params: new_session(world.default_account.shelves[False], params)


def event(world: StripeWorld, type: str) -> Any:
    return next(event for event in world.events if event.type == type).snapshots["pinned"]


def place(world: StripeWorld, type: str) -> int:
    return [event.type for event in world.events].index(type)


def test_the_first_reading_is_played_unless_another_is_chosen() -> None:
    assert Switches()["event_order"] == "payment_first"
    assert Switches({"event_order": "session_first"})["event_order"] == "session_first"


@pytest.mark.parametrize("chosen", [{"no_such": "thing"}, {"event_order": "sideways"}])
def test_what_is_no_switch_or_no_reading_is_refused(chosen: dict[str, str]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Switches(chosen)


def test_every_switch_is_asked_somewhere() -> None:
    folder = Path(sandbox.stripe.__file__).parent
    texts = [path.read_text() for path in folder.rglob("*.py") if path.name != "switches.py"]
    assert [name for name in SWITCHES if not any(f'"{name}"' in text for text in texts)] == []


@pytest.mark.parametrize(
    ("name", "reading"),
    [(n, r) for n, s in SWITCHES.items() for r in s.readings[1:] if r != "managed_payments_unfit"],  # makes no session
)
def test_all_lives_can_be_lived_under_every_reading(name: str, reading: str) -> None:
    made = {event.type for event in everything({name: reading}).events}
    assert {"invoice.paid", "charge.refunded", "charge.dispute.closed"} <= made


@pytest.mark.parametrize(("reading", "payment_first"), [("payment_first", True), ("session_first", False)])
def test_a_switch_decides_whether_the_payments_or_the_sessions_event_is_first(
    reading: str, payment_first: bool
) -> None:
    world, make = lived(event_order=reading)
    world.pay_session(make(payment_params())["id"])
    assert (place(world, "payment_intent.succeeded") < place(world, "checkout.session.completed")) is payment_first


@pytest.mark.parametrize(("reading", "session_first"), [("after_session", True), ("before_session", False)])
def test_a_switch_decides_whether_the_sessions_or_the_invoices_event_is_first(
    reading: str, session_first: bool
) -> None:
    world, make = lived(invoice_events=reading)
    world.pay_session(make(INVOICED)["id"])
    assert (place(world, "checkout.session.completed") < place(world, "invoice.paid")) is session_first


@pytest.mark.parametrize(("reading", "known"), [("set", True), ("null", False)])
def test_a_switch_decides_whether_the_completed_session_names_its_invoice(reading: str, known: bool) -> None:
    world, make = lived(session_invoice_at_completed=reading)
    world.pay_session(make(INVOICED)["id"])
    assert (event(world, "checkout.session.completed")["invoice"] is not None) is known


@pytest.mark.parametrize(("reading", "there"), [("absent", False), ("present", True)])
def test_a_switch_decides_whether_invoice_events_contain_payments(reading: str, there: bool) -> None:
    world, make = lived(invoice_payments_in_events=reading)
    world.pay_session(make(INVOICED)["id"])
    assert ("payments" in event(world, "invoice.paid")) is there


@pytest.mark.parametrize(("reading", "same"), [("same", True), ("new", False)])
def test_a_switch_decides_whether_a_declined_try_keeps_its_payment_intent(reading: str, same: bool) -> None:
    world, make = lived(declined_try=reading)
    session = world.pay_session(make(payment_params())["id"], Payer("declined"))
    first = session["payment_intent"]
    assert (world.pay_session(session["id"])["payment_intent"] == first) is same


@pytest.mark.parametrize("reading", ["paid", "no_payment_required"])
def test_a_switch_decides_the_payment_status_of_a_session_of_zero(reading: str) -> None:
    world, make = lived(zero_total_status=reading)
    assert world.pay_session(make(payment_params())["id"], Payer(discount=1000))["payment_status"] == reading


@pytest.mark.parametrize(("reading", "currency"), [("ours", "eur"), ("payers", "usd")])
def test_a_switch_decides_in_which_currency_a_subscription_is_paid(reading: str, currency: str) -> None:
    world, make = lived(subscription_presentment=reading)
    session = world.pay_session(make(subscription_params())["id"], Payer(presentment=(1090, "usd")))
    assert (session["currency"], event(world, "invoice.paid")["currency"]) == ("eur", currency)


@pytest.mark.parametrize(("reading", "heard"), [("absent", False), ("sent", True)])
def test_a_switch_decides_whether_old_endpoints_get_refund_created(reading: str, heard: bool) -> None:
    """Of none of the three that acacia brought; the older event tells of the end."""
    world, _ = lived(refund_created_on_legacy=reading)
    shelf, types = world.default_account.shelves[False], ["refund.created", "refund.updated", "refund.failed"]
    assert {reaches(shelf, type, "2023-08-16", types) for type in types} == {heard}
    assert {reaches(shelf, type, "2026-10-28.endive", types) for type in types} == {True}
    assert reaches(shelf, "charge.refund.updated", "2023-08-16", ["*"])


@pytest.mark.parametrize(("reading", "count"), [("first_ten", 10), ("all", 12)])
def test_a_switch_decides_how_many_lines_an_invoice_event_has(reading: str, count: int) -> None:
    world, make = lived(invoice_lines=reading)
    world.pay_session(make(INVOICED | {"line_items": INVOICED["line_items"] * 12})["id"])
    lines = event(world, "invoice.paid")["lines"]
    assert (len(lines["data"]), lines["has_more"]) == (count, count == 10)


@pytest.mark.parametrize(("reading", "status"), [("stays", "processing"), ("fails", "requires_payment_method")])
async def test_a_switch_decides_what_becomes_of_a_delayed_payment_at_expiry(
    world: StripeWorld, client: stripe.StripeClient, reading: str, status: str
) -> None:
    world.ground.switches.turn({"delayed_at_expiry": reading})
    session = await client.v1.checkout.sessions.create_async(payment_params())
    intent = world.pay_session(session.id, Payer("delayed"))["payment_intent"]
    world.advance(86400)
    assert (await client.v1.payment_intents.retrieve_async(intent)).status == status


@pytest.mark.parametrize(("reading", "ended"), [("refused", "open"), ("wins", "expired")])
async def test_a_switch_decides_whether_a_session_can_expire_while_it_is_paid(
    world: StripeWorld, client: stripe.StripeClient, reading: str, ended: str
) -> None:
    world.ground.switches.turn({"expire_while_paying": reading})
    session = await client.v1.checkout.sessions.create_async(payment_params())
    world.start_paying(session.id)
    if reading == "refused":
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.checkout.sessions.expire_async(session.id)
    else:
        await client.v1.checkout.sessions.expire_async(session.id)
    assert (await client.v1.checkout.sessions.retrieve_async(session.id)).status == ended


@pytest.mark.parametrize(("reading", "count"), [("at_once", 1), ("late", 0)])
async def test_a_switch_decides_when_an_invoice_payment_is_listed(
    world: StripeWorld, client: stripe.StripeClient, reading: str, count: int
) -> None:
    world.ground.switches.turn({"invoice_lookup": reading})
    session = await client.v1.checkout.sessions.create_async(subscription_params())
    world.pay_session(session.id)
    assert len((await client.v1.invoice_payments.list_async()).data) == count
    world.advance(4)
    assert len((await client.v1.invoice_payments.list_async()).data) == 1


@pytest.mark.parametrize(("reading", "status"), [("400", 400), ("409", 409)])
async def test_a_switch_decides_the_status_of_an_idempotency_mismatch(
    world: StripeWorld, client: stripe.StripeClient, reading: str, status: int
) -> None:
    world.ground.switches.turn({"idempotency_mismatch_status": reading})
    await client.v1.checkout.sessions.create_async(payment_params(), {"idempotency_key": "k"})
    with pytest.raises(stripe.StripeError) as caught:
        await client.v1.checkout.sessions.create_async(subscription_params(), {"idempotency_key": "k"})
    assert caught.value.http_status == status


@pytest.mark.parametrize(("reading", "readonly"), [("locked", True), ("editable", False)])
async def test_a_switch_decides_whether_the_customers_email_can_be_edited(
    world: StripeWorld, client: stripe.StripeClient, visitor: httpx.AsyncClient, reading: str, readonly: bool
) -> None:
    world.ground.switches.turn({"customer_email": reading})
    session = await client.v1.checkout.sessions.create_async(payment_params(customer_email="a@b.example"))
    assert ("readonly" in (await visitor.get(session.url or "")).text) is readonly


@pytest.mark.parametrize(
    ("switch", "call"),
    [
        ("webhook_slug", "webhook_endpoints"),
        ("event_slug", "events"),
        ("refund_slug", "refunds"),
        ("dispute_slug", "disputes"),
        ("invoice_payment_slug", "invoice_payments"),
    ],
)
async def test_a_switch_decides_the_name_of_each_permission(
    world: StripeWorld, client_of: Client, switch: str, call: str
) -> None:
    for reading in SWITCHES[switch].readings:
        world.ground.switches.turn({switch: reading})
        good, bad = (world.default_account.add_restricted_key([slug]) for slug in (f"{reading}_read", "rak_none_read"))
        await getattr(client_of(good).v1, call).list_async()
        with pytest.raises(stripe.PermissionError) as caught:
            await getattr(client_of(bad).v1, call).list_async()
        assert f"{reading}_read" in str(caught.value.user_message)


async def test_calls_beyond_the_rate_limit_are_refused_unless_it_is_switched_off(
    world: StripeWorld, client: stripe.StripeClient
) -> None:
    now = world.clock()
    for _ in range(25):
        world.limits.spend(world.default_account.id, False, "GET /v1/events")
    assert world.clock() < now + 0.5
    with pytest.raises(stripe.RateLimitError):
        await client.v1.events.list_async()
    world.advance(1)
    await client.v1.events.list_async()
    world.ground.switches.turn({"rate_limits": "none"})
    for _ in range(26):
        await client.v1.events.list_async()


@pytest.mark.parametrize("default", ["managed_payments", "automatic_tax"])
async def test_a_session_that_pins_nothing_is_taxed_by_the_accounts_default(
    world: StripeWorld, client: stripe.StripeClient, default: str
) -> None:
    world.ground.switches.turn({"account_defaults": default})
    session = await client.v1.checkout.sessions.create_async(payment_params())
    assert world.pay_session(session.id)["amount_total"] == 1090


async def test_an_account_with_managed_payments_may_refuse_a_session_that_does_not_pin_them(
    world: StripeWorld, client: stripe.StripeClient
) -> None:
    world.ground.switches.turn({"account_defaults": "managed_payments_unfit"})
    with pytest.raises(stripe.InvalidRequestError, match="managed_payments"):
        await client.v1.checkout.sessions.create_async(payment_params())
    await client.v1.checkout.sessions.create_async(payment_params(managed_payments={"enabled": False}))


async def test_the_switches_are_listed_and_turned_over_http(world: StripeWorld, visitor: httpx.AsyncClient) -> None:
    await visitor.post("/_sandbox/switches", json={"event_order": "session_first"})
    listed = (await visitor.get("/_sandbox/switches")).json()
    assert listed["event_order"]["now"] == "session_first"
    assert listed.keys() == SWITCHES.keys()
    assert (await visitor.post("/_sandbox/switches", json={"event_order": "sideways"})).status_code == 422
