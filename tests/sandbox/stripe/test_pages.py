"""What a payer meets."""

from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe import StripeWorld
from tests.sandbox.stripe.conftest import payment_params


async def opened(client: stripe.StripeClient, **more: Any) -> Any:
    return await client.v1.checkout.sessions.create_async(payment_params(**more))


async def test_a_declined_card_is_told_and_another_one_pays(
    client: stripe.StripeClient, visitor: httpx.AsyncClient
) -> None:
    session = await opened(client)
    declined = await visitor.post(session.url, data={"card_number": "4000000000009995"})
    assert (declined.status_code, "Your card was declined" in declined.text) == (402, True)
    paid = await visitor.post(session.url, data={"card_number": "4242424242424242"})
    assert paid.status_code == 303


async def test_a_number_that_is_no_card_makes_nothing(
    world: StripeWorld, client: stripe.StripeClient, visitor: httpx.AsyncClient
) -> None:
    session = await opened(client)
    answer = await visitor.post(session.url, data={"card_number": "1234"})
    assert "Your card number is invalid" in answer.text
    assert world.events == []


@pytest.mark.parametrize(("currency", "name"), [("eur", "SEPA direct debit"), ("usd", "US bank account")])
async def test_a_delayed_method_completes_the_session_unpaid(
    client: stripe.StripeClient, visitor: httpx.AsyncClient, currency: str, name: str
) -> None:
    data = {"currency": currency, "unit_amount": 1000, "product_data": {"name": "Thing"}}
    session = await opened(client, line_items=[{"quantity": 1, "price_data": data}])
    assert name in (await visitor.get(session.url)).text
    assert (await visitor.post(session.url, data={"method": "delayed"})).status_code == 303
    again = await client.v1.checkout.sessions.retrieve_async(session.id)
    assert (again.status, again.payment_status) == ("complete", "unpaid")


async def test_a_currency_without_a_delayed_method_offers_none(
    client: stripe.StripeClient, visitor: httpx.AsyncClient
) -> None:
    data = {"currency": "jpy", "unit_amount": 1000, "product_data": {"name": "Thing"}}
    session = await opened(client, line_items=[{"quantity": 1, "price_data": data}])
    page = (await visitor.get(session.url)).text
    assert "settles in a few days" not in page
    assert "Pay 1,000 JPY" in page


async def test_a_second_press_of_the_button_charges_nothing(
    world: StripeWorld, client: stripe.StripeClient, visitor: httpx.AsyncClient
) -> None:
    session = await opened(client)
    card = {"card_number": "4242424242424242"}
    await visitor.post(session.url, data=card)
    assert "has been completed" in (await visitor.post(session.url, data=card)).text
    assert [event.type for event in world.events].count("payment_intent.succeeded") == 1


async def test_an_expired_session_can_be_recovered_as_a_new_one(
    world: StripeWorld, client: stripe.StripeClient, visitor: httpx.AsyncClient
) -> None:
    session = await opened(client, after_expiration={"recovery": {"enabled": True}})
    expired = await client.v1.checkout.sessions.expire_async(session.id)
    assert expired.after_expiration
    assert expired.after_expiration.recovery
    answer = await visitor.get(expired.after_expiration.recovery.url or "")
    assert answer.status_code == 303
    fresh = (await client.v1.checkout.sessions.list_async({"limit": 1})).data[0]
    assert (fresh.recovered_from, fresh.url) == (session.id, answer.headers["location"])


async def test_what_the_shop_wrote_is_text_on_the_page(client: stripe.StripeClient, visitor: httpx.AsyncClient) -> None:
    data = {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "<script>alert(1)</script>"}}
    session = await opened(client, line_items=[{"quantity": 1, "price_data": data}])
    assert "<script>alert" not in (await visitor.get(session.url)).text


async def test_an_unknown_page_is_404(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/c/pay/cs_test_nothing")).status_code == 404
