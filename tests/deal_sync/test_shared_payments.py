"""A payment that pays invoices of two deals, in the running product: both cards show their shares, and stay so."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.world import World, open_world


@pytest.fixture
async def product(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as running:
        yield running


def _paid(product: World, lead_id: int) -> float:
    return float(product.fields(lead_id).get("STRIPE_AMOUNT_PAID") or 0)


async def test_both_cards_show_their_shares_of_the_money_and_of_a_refund(product: World) -> None:
    first, second = product.lead("First"), product.lead("Second")
    sent = []
    for lead_id, amount in ((first, 10_000), (second, 5_000)):
        marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
        sent.append(product.stripe.send_invoice(amount, "usd", marks, live=True)["id"])
    payment = product.stripe.pay_invoices(sent)["id"]
    await product.until(lambda: (_paid(product, first), _paid(product, second)) == (100, 50))
    await product.may_refund()
    wish = {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"}
    refused = await product.rep.post(f"/widget/payments/{payment}/refund", wish)
    assert (refused.status_code, "pays for several deals" in refused.text) == (409, True)
    assert not product.stripe.default_account.shelves[True].objects.get("refund")
    product.stripe.refund(payment, 3_000)
    await product.until(lambda: product.fields(second)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
    await product.until(lambda: product.fields(first)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
    assert [float(product.fields(lead)["STRIPE_REFUNDED"]) for lead in (first, second)] == [20, 10]
    await product.quiet()
    for lead_id, said in ((first, "The client paid 100.00 USD"), (second, "The client paid 50.00 USD")):
        assert sum(note.text.count(said) for note in product.notes(lead_id)) == 1
