"""How the API shows what it has: versions, expansion, pages, look-ups."""

from typing import Any

import pytest
import stripe

from sandbox.stripe import StripeWorld
from tests.sandbox.stripe.conftest import LEGACY, payment_params, subscription_params


async def subscribed(world: StripeWorld, client: stripe.StripeClient) -> Any:
    session = await client.v1.checkout.sessions.create_async(subscription_params())
    return world.pay_session(session.id)


async def test_an_answer_is_shown_in_the_version_that_was_asked_for(
    world: StripeWorld, client: stripe.StripeClient
) -> None:
    session = await subscribed(world, client)
    new = await client.v1.invoices.retrieve_async(session["invoice"])
    old = await client.v1.invoices.retrieve_async(session["invoice"], options={"stripe_version": LEGACY})
    assert "subscription" not in new
    assert old["subscription"] == session["subscription"]
    assert old["paid"] is True


async def test_an_unknown_version_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.checkout.sessions.list_async(options={"stripe_version": "2031-01-01"})


async def test_a_session_is_found_by_its_payment_and_by_its_subscription(
    world: StripeWorld, client: stripe.StripeClient
) -> None:
    one_time = await client.v1.checkout.sessions.create_async(payment_params())
    intent = world.pay_session(one_time.id)["payment_intent"]
    recurring = await subscribed(world, client)
    by_intent = await client.v1.checkout.sessions.list_async({"payment_intent": intent})
    by_subscription = await client.v1.checkout.sessions.list_async({"subscription": recurring["subscription"]})
    assert [each.id for each in by_intent] == [one_time.id]
    assert [each.id for each in by_subscription] == [recurring["id"]]


async def test_an_invoice_is_found_by_its_payment(world: StripeWorld, client: stripe.StripeClient) -> None:
    session = await subscribed(world, client)
    parts = await client.v1.invoice_payments.list_async({"invoice": session["invoice"]})
    intent = str(parts.data[0].payment.payment_intent)
    query: Any = {"payment": {"type": "payment_intent", "payment_intent": intent}}
    found = await client.v1.invoice_payments.list_async(query)
    assert [str(part.invoice) for part in found] == [session["invoice"]]


async def test_hidden_lists_show_when_they_are_expanded(world: StripeWorld, client: stripe.StripeClient) -> None:
    paid = await subscribed(world, client)
    session: Any = await client.v1.checkout.sessions.retrieve_async(paid["id"])
    assert "line_items" not in session
    session = await client.v1.checkout.sessions.retrieve_async(
        paid["id"], {"expand": ["line_items", "invoice.payments", "subscription"]}
    )
    assert session.line_items.data[0].amount_total == 1000
    assert session.invoice.payments.data[0].amount_paid == 1000
    assert session.subscription.status == "active"


async def test_lists_expand_each_row(world: StripeWorld, client: stripe.StripeClient) -> None:
    created = await client.v1.checkout.sessions.create_async(payment_params())
    world.pay_session(created.id)
    rows: Any = await client.v1.payment_intents.list_async({"expand": ["data.latest_charge"]})
    assert rows.data[0].latest_charge.amount_captured == 1000


async def test_what_can_not_be_expanded_is_refused(client: stripe.StripeClient) -> None:
    session = await client.v1.checkout.sessions.create_async(payment_params())
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["colour"]})
    assert "cannot be expanded" in str(caught.value.user_message)


async def test_pages_follow_each_other(client: stripe.StripeClient) -> None:
    made = [(await client.v1.checkout.sessions.create_async(payment_params())).id for _ in range(5)]
    page = await client.v1.checkout.sessions.list_async({"limit": 2})
    assert page.has_more
    assert [session.id async for session in page.auto_paging_iter()] == made[::-1]
    back = await client.v1.checkout.sessions.list_async({"limit": 2, "ending_before": made[0]})
    assert [session.id for session in back] == [made[2], made[1]]


async def test_lists_are_cut_by_creation(world: StripeWorld, client: stripe.StripeClient) -> None:
    await client.v1.checkout.sessions.create_async(payment_params())
    world.advance(100)
    late = await client.v1.checkout.sessions.create_async(payment_params())
    newer = await client.v1.checkout.sessions.list_async({"created": {"gt": world.ground.now - 50}})
    assert [session.id for session in newer] == [late.id]


async def test_price_data_leaves_a_product_and_a_price(client: stripe.StripeClient) -> None:
    await client.v1.checkout.sessions.create_async(payment_params())
    price = (await client.v1.prices.list_async()).data[0]
    product = await client.v1.products.retrieve_async(str(price.product))
    assert (price.unit_amount, product.name) == (1000, "Website")


async def test_an_unknown_address_is_404(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.coupons.list_async()
    assert "Unrecognized request URL" in str(caught.value.user_message)


async def test_invoices_are_found_by_their_subscription(world: StripeWorld, client: stripe.StripeClient) -> None:
    first, _other = await subscribed(world, client), await subscribed(world, client)
    found = await client.v1.invoices.list_async({"subscription": first["subscription"]})
    assert [invoice.id for invoice in found] == [first["invoice"]]


async def test_later_edits_of_a_subscription_do_not_reach_its_old_invoices(
    world: StripeWorld, client: stripe.StripeClient
) -> None:
    session = await subscribed(world, client)
    await client.v1.subscriptions.update_async(session["subscription"], {"metadata": {"kommo_lead_id": "5"}})
    renewal = world.renew_subscription(session["subscription"])
    old, new = world.locate(session["invoice"])[1], renewal
    leads = [each["parent"]["subscription_details"]["metadata"]["kommo_lead_id"] for each in (old, new)]
    assert leads == ["4711", "5"]


async def test_a_session_of_a_known_customer_has_its_address(world: StripeWorld, client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async({"email": "known@b.example"})
    session = await client.v1.checkout.sessions.create_async(payment_params(customer=customer.id))
    paid = world.pay_session(session.id)
    assert (paid["customer"], paid["customer_details"]["email"]) == (customer.id, "known@b.example")


async def test_session_metadata_is_changed_and_deleted_by_key(client: stripe.StripeClient) -> None:
    session = await client.v1.checkout.sessions.create_async(payment_params(metadata={"a": "1", "b": "2"}))
    changed = await client.v1.checkout.sessions.update_async(session.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
