"""The main road: a session is made, a person pays it, three signed events tell of it."""

import stripe
from httpx import AsyncClient

from sandbox.stripe import StripeWorld
from tests.sandbox.stripe.conftest import Listen, Listener, payment_params, subscription_params, until


async def test_a_new_session_is_open_and_has_a_page_but_no_payment_intent(client: stripe.StripeClient) -> None:
    session = await client.v1.checkout.sessions.create_async(payment_params())
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency, session.client_reference_id) == (1000, "eur", "4711")
    assert session.id.startswith("cs_test_")
    assert session.url


async def test_a_person_pays_on_the_page_and_comes_back_to_the_shop(
    client: stripe.StripeClient, visitor: AsyncClient
) -> None:
    session = await client.v1.checkout.sessions.create_async(payment_params(customer_email="a@b.example"))
    page = await visitor.get(session.url or "")
    assert "Sandbox shop" in page.text
    assert ">Pay 10.00 EUR</button>" in page.text
    answer = await visitor.post(session.url or "", data={"email": "", "card_number": "4242 4242 4242 4242"})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://shop.example/done?s={session.id}"
    paid = await client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert paid.payment_intent.amount_received == 1000
    assert paid.customer_details
    assert paid.customer_details.email == "a@b.example"


async def test_the_events_of_a_payment_arrive_signed(
    world: StripeWorld, client: stripe.StripeClient, listener: Listener, listen: Listen
) -> None:
    endpoint = await listen("checkout.session.completed", "payment_intent.succeeded")
    session = await client.v1.checkout.sessions.create_async(payment_params())
    world.pay_session(session.id)
    await until(lambda: len(listener.got) == 2)
    for headers, body in listener.got:
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], endpoint.secret or "")
        assert event.data.object["metadata"]["kommo_lead_id"] == "4711"
        assert event.api_version == "2026-10-28.endive"
    assert sorted(listener.types) == ["checkout.session.completed", "payment_intent.succeeded"]


async def test_the_signing_secret_shows_only_at_creation(client: stripe.StripeClient, listen: Listen) -> None:
    endpoint = await listen()
    again = await client.v1.webhook_endpoints.retrieve_async(endpoint.id)
    assert "secret" in endpoint
    assert "secret" not in again


async def test_a_subscription_joins_its_payment_by_the_invoice_payment(
    world: StripeWorld, client: stripe.StripeClient
) -> None:
    session = await client.v1.checkout.sessions.create_async(subscription_params())
    world.pay_session(session.id)
    paid = await client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["invoice"]})
    assert paid.payment_intent is None
    assert isinstance(paid.invoice, stripe.Invoice)
    details = paid.invoice.parent and paid.invoice.parent.subscription_details
    assert details
    assert details.metadata
    assert details.metadata["kommo_lead_id"] == "4711"
    parts = await client.v1.invoice_payments.list_async({"invoice": paid.invoice.id, "status": "paid"})
    intent = await client.v1.payment_intents.retrieve_async(str(parts.data[0].payment.payment_intent))
    assert (intent.amount_received, intent.metadata.to_dict()) == (1000, {})


async def test_an_expired_session_has_no_page_and_says_so_in_an_event(
    client: stripe.StripeClient, visitor: AsyncClient, listener: Listener, listen: Listen
) -> None:
    await listen("checkout.session.expired")
    session = await client.v1.checkout.sessions.create_async(payment_params())
    expired = await client.v1.checkout.sessions.expire_async(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    assert "This page has expired" in (await visitor.get(session.url or "")).text
    await until(lambda: listener.types == ["checkout.session.expired"])


async def test_a_session_expires_by_the_clock(world: StripeWorld, client: stripe.StripeClient) -> None:
    session = await client.v1.checkout.sessions.create_async(payment_params())
    world.advance(86400)
    assert (await client.v1.checkout.sessions.retrieve_async(session.id)).status == "expired"


async def test_another_process_pays_over_the_control_routes(visitor: AsyncClient, client: stripe.StripeClient) -> None:
    session = await client.v1.checkout.sessions.create_async(payment_params())
    answer = await visitor.post(f"/_sandbox/sessions/{session.id}/pay", json={"outcome": "paid"})
    assert answer.json()["payment_status"] == "paid"
    asked = (await visitor.get("/_sandbox/requests")).json()
    assert asked[0]["path"] == "/v1/checkout/sessions"
    assert asked[0]["params"]["line_items"][0]["price_data"]["unit_amount"] == 1000
    assert asked[0]["headers"]["stripe-version"] == "2026-10-28.endive"
