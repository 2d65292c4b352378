"""The controls, as another process uses them."""

from typing import Any

import httpx
import stripe

from sandbox.stripe import StripeWorld
from tests.sandbox.stripe.conftest import Client, payment_params, subscription_params


async def order(visitor: httpx.AsyncClient, path: str, body: Any = None) -> Any:
    answer = await visitor.post(f"/_sandbox/{path}", json={} if body is None else body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def paid(visitor: httpx.AsyncClient, client: stripe.StripeClient, params: Any = None, **how: Any) -> Any:
    session = await client.v1.checkout.sessions.create_async(params or payment_params())
    return await order(visitor, f"sessions/{session.id}/pay", how)


async def test_a_delayed_payment_is_settled(client: stripe.StripeClient, visitor: httpx.AsyncClient) -> None:
    session = await paid(visitor, client, outcome="delayed")
    assert session["payment_status"] == "unpaid"
    assert (await order(visitor, f"payments/{session['payment_intent']}/settle"))["status"] == "succeeded"


async def test_money_goes_back(client: stripe.StripeClient, visitor: httpx.AsyncClient) -> None:
    intent = (await paid(visitor, client))["payment_intent"]
    pending = await order(visitor, f"payments/{intent}/refund", {"amount": 300, "outcome": "pending"})
    assert (pending["status"], pending["amount"]) == ("pending", 300)
    assert (await order(visitor, f"refunds/{pending['id']}/finish", {"outcome": "failed"}))["status"] == "failed"


async def test_refunds_by_api_come_out_as_ordered(client: stripe.StripeClient, visitor: httpx.AsyncClient) -> None:
    intent = (await paid(visitor, client))["payment_intent"]
    await order(visitor, "next_refund", {"outcome": "pending"})
    params: Any = {"payment_intent": intent}
    assert (await client.v1.refunds.create_async(params)).status == "pending"


async def test_a_payment_is_disputed_answered_and_lost(client: stripe.StripeClient, visitor: httpx.AsyncClient) -> None:
    intent = (await paid(visitor, client))["payment_intent"]
    dispute = await order(visitor, f"payments/{intent}/dispute", {"amount": 500})
    assert (await order(visitor, f"disputes/{dispute['id']}/answer"))["status"] == "under_review"
    assert (await order(visitor, f"disputes/{dispute['id']}/close", {"outcome": "lost"}))["status"] == "lost"
    assert [each.id for each in await client.v1.disputes.list_async({"payment_intent": intent})] == [dispute["id"]]


async def test_a_subscription_renews_fails_recovers_and_ends(
    client: stripe.StripeClient, visitor: httpx.AsyncClient
) -> None:
    subscription = (await paid(visitor, client, subscription_params()))["subscription"]
    assert (await order(visitor, f"subscriptions/{subscription}/renew"))["status"] == "paid"
    assert (await order(visitor, f"subscriptions/{subscription}/renew", {"outcome": "failed"}))["status"] == "open"
    assert (await order(visitor, f"subscriptions/{subscription}/retry"))["status"] == "paid"
    assert (await order(visitor, f"subscriptions/{subscription}/cancel"))["status"] == "canceled"


async def test_an_invoice_is_sent_and_paid_outside(visitor: httpx.AsyncClient) -> None:
    invoice = await order(visitor, "invoices", {"amount": 900, "metadata": {"kommo_lead_id": "7"}})
    assert (await order(visitor, f"invoices/{invoice['id']}/pay", {"outside": True}))["status"] == "paid"


async def test_another_account_can_sell_something(
    visitor: httpx.AsyncClient, client_of: Client, client: stripe.StripeClient
) -> None:
    account = await order(visitor, "accounts", {"name": "Other", "keys": {"sk_test_other": None}})
    intent = await order(visitor, f"foreign?account={account['id']}", {"kind": "intent", "metadata": {"order": "1"}})
    assert [each.id for each in await client_of("sk_test_other").v1.payment_intents.list_async()] == [intent["id"]]
    assert (await client.v1.payment_intents.list_async()).data == []


async def test_the_clock_can_be_set_forward(visitor: httpx.AsyncClient, client: stripe.StripeClient) -> None:
    session = await client.v1.checkout.sessions.create_async(payment_params())
    before = (await visitor.get("/_sandbox/clock")).json()["now"]
    assert (await order(visitor, "clock", {"seconds": 90000}))["now"] >= before + 90000
    assert (await visitor.get(f"/_sandbox/objects/{session.id}")).json()["status"] == "expired"


async def test_faults_are_ordered_and_taken_back(visitor: httpx.AsyncClient, client: stripe.StripeClient) -> None:
    await order(visitor, "faults", {"kind": "server_error", "count": 9})
    await visitor.delete("/_sandbox/faults")
    await client.v1.checkout.sessions.create_async(payment_params())
    assert (await visitor.post("/_sandbox/faults", json={"kind": "earthquake"})).status_code == 422


async def test_reads_are_counted_by_account(
    world: StripeWorld, visitor: httpx.AsyncClient, client: stripe.StripeClient
) -> None:
    await client.v1.checkout.sessions.create_async(payment_params())
    await client.v1.events.list_async()
    assert (await visitor.get("/_sandbox/reads")).json() == {world.default_account.id: 1}


async def test_what_does_not_exist_is_404(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.post("/_sandbox/sessions/cs_none/pay", json={})).status_code == 404


async def test_the_restricted_key_of_the_sandbox_does_what_the_product_needs(
    world: StripeWorld, client_of: Client
) -> None:
    client = client_of(world.default_account.restricted_key)
    await client.v1.checkout.sessions.create_async(payment_params())
    await client.v1.events.list_async()
    await client.v1.invoice_payments.list_async()
