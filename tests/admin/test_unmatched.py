"""Payments that are ours and fit no deal, in the running product: listed, attached, moved, taken out."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backend.admin.attach import detach
from backend.inbox.replay import replay_all
from backend.storage.models import Audit, CardWrite, Deal, InboxEvent, LedgerEntry, LedgerLink
from sandbox.stripe.lives.foreign import Foreign
from tests.world import World, open_world

NO_DEAL = 99_000_111


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as running_product:
        yield running_product


async def _listed(product: World) -> list[dict[str, Any]]:
    answer = await product.http.get(f"{product.url}/admin/api/unmatched", headers=product.admin)
    rows: list[dict[str, Any]] = answer.json()
    return rows


async def _attach(product: World, payment: str, lead_id: int) -> int:
    body = {"account_id": product.account.id, "lead_id": lead_id}
    answer = await product.http.post(
        f"{product.url}/admin/api/unmatched/{payment}/attach", json=body, headers=product.admin
    )
    await product.quiet()
    return answer.status_code


async def _lost(product: World) -> str:
    """Other software names a deal that Kommo does not have."""
    paid = product.stripe.foreign_payment(Foreign("intent", metadata={"kommo_lead_id": str(NO_DEAL)}), live=True)
    await product.quiet()
    return str(paid["id"])


async def test_a_payment_for_no_deal_is_listed_and_then_attached_and_written(product: World) -> None:
    payment = await _lost(product)
    (row,) = await _listed(product)
    assert (row["id"], row["amount"], row["currency"], row["lead_id"]) == (payment, "25.00", "EUR", NO_DEAL)
    lead_id = product.lead()
    assert await _attach(product, payment, lead_id) == 200
    await product.until(lambda: product.notes(lead_id))
    assert product.fields(lead_id)["STRIPE_PAYMENT_INTENT"] == payment
    assert await _listed(product) == []


async def test_only_a_deal_that_exists_can_be_given_a_payment(product: World) -> None:
    payment = await _lost(product)
    assert await _attach(product, payment, NO_DEAL + 1) == 404
    assert len(await _listed(product)) == 1


async def test_a_moved_payment_leaves_the_old_card_empty_and_fills_the_new_one(product: World) -> None:
    old, new = await product.paid_deal(), product.lead("The right one")
    payment = product.fields(old)["STRIPE_PAYMENT_INTENT"]
    await _attach(product, payment, new)
    await product.until(lambda: product.fields(new).get("STRIPE_PAYMENT_STATUS") == "Paid")
    await product.until(lambda: not product.fields(old).get("STRIPE_PAYMENT_INTENT"))
    assert not any(product.fields(old).get(code) for code in product.fields(new) if code.startswith("STRIPE"))
    await product.until(lambda: len(product.notes(new)) == 1)
    assert float(product.fields(new)["STRIPE_AMOUNT_PAID"]) == 120
    product.stripe.refund(payment, 2000)
    await product.until(lambda: product.fields(new)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
    assert {audit.who for audit in await product.rows(Audit) if audit.what == "payment attached"} == {"admin token"}


async def test_a_payment_that_two_connections_heard_of_is_moved_once_and_whole(product: World) -> None:
    old, new = await product.paid_deal(), product.lead("The right one")
    await product.stored.hear_twice()
    payment = product.fields(old)["STRIPE_PAYMENT_INTENT"]
    await detach(product.resources, payment, product.account.id)
    assert [row["id"] for row in await _listed(product)] == [payment]
    await _attach(product, payment, new)
    assert {entry.lead_id for entry in await product.rows(LedgerEntry) if entry.id == payment} == {new}
    assert await _listed(product) == []


async def test_of_two_payments_of_one_link_the_duplicate_can_be_moved_alone(product: World) -> None:
    """A second session of the same request, as an old browser tab may pay it."""
    old, new = product.lead(), product.lead("Another order")
    link = await product.link(old)
    opened = await product.http.get(link)
    first = opened.headers["location"].rpartition("/")[2].partition("#")[0]
    _, session = product.stripe.locate(first)
    paid = await product.pay(link)
    again = Foreign("session", amount=12000, currency="usd", metadata=dict(session["metadata"]))
    second = product.stripe.foreign_payment(again, live=True)["payment_intent"]
    await product.until(lambda: float(product.fields(old).get("STRIPE_AMOUNT_PAID") or 0) == 240)
    await product.quiet()
    await _attach(product, second, new)
    await product.until(lambda: product.fields(new).get("STRIPE_PAYMENT_STATUS") == "Paid")
    await product.until(lambda: float(product.fields(old)["STRIPE_AMOUNT_PAID"]) == 120)
    kept = product.stripe.locate(paid)[1]["payment_intent"]
    assert product.fields(old)["STRIPE_PAYMENT_INTENT"] == kept


async def test_a_payment_taken_out_of_its_deal_is_unmatched_with_that_deal_proposed(product: World) -> None:
    lead_id = await product.paid_deal()
    payment = product.fields(lead_id)["STRIPE_PAYMENT_INTENT"]
    await detach(product.resources, payment, product.account.id)
    await product.until(lambda: float(product.fields(lead_id).get("STRIPE_AMOUNT_PAID") or 0) == 0)
    (row,) = await _listed(product)
    assert (row["id"], row["lead_id"], row["suggestions"]) == (payment, None, [lead_id])
    await _attach(product, payment, lead_id)
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid")
    await product.quiet()
    assert len(product.notes(lead_id)) == 1


async def test_of_a_vanished_deal_the_clients_other_deals_are_proposed_newest_first(product: World) -> None:
    person = product.kommo.person()
    client = product.account.add_contact("Client")
    older, gone, newer = (product.lead(name, contacts=[client]) for name in ("Older", "Merged away", "Newer"))
    link = await product.link(gone, contact_id=client.id)
    second = await product.link(gone, "10.00", contact_id=client.id)
    person.delete_lead(gone)
    await product.pay(link)
    await product.quiet()
    (row,) = await _listed(product)
    assert (row["lead_id"], row["suggestions"]) == (gone, [newer, older])
    await _attach(product, row["id"], newer)
    await product.until(lambda: product.fields(newer).get("STRIPE_PAYMENT_STATUS") == "Partially paid")
    await product.pay(second)
    await product.until(lambda: product.fields(newer)["STRIPE_PAYMENT_STATUS"] == "Paid")
    await product.until(lambda: len(product.notes(newer)) == 2)


async def _accounts(product: World) -> list[dict[str, Any]]:
    answer = await product.http.get(f"{product.url}/admin/api/accounts", headers=product.admin)
    rows: list[dict[str, Any]] = answer.json()
    return rows


async def test_a_bare_reference_to_no_deal_ends_the_trust_and_the_admin_is_told(product: World) -> None:
    lead_id = product.lead()

    async def refer(number: int) -> str:
        bare = Foreign("session", client_reference_id=str(number))
        paid = product.stripe.foreign_payment(bare, live=True)
        await product.quiet()
        return str(paid["payment_intent"])

    trusted = await refer(lead_id)
    assert product.fields(lead_id)["STRIPE_PAYMENT_INTENT"] == trusted
    wrong = await refer(NO_DEAL)
    (account,) = await _accounts(product)
    assert [one["reference_policy"] for one in account["stripe"]] == ["suggest"]
    assert f"deal {NO_DEAL}" in account["stripe"][0]["problem"]
    named = [event.error for event in await product.rows(InboxEvent) if event.error]
    assert named == [f"deal {NO_DEAL} does not exist in Kommo"]
    late = await refer(lead_id)
    listed = {row["id"]: (row["lead_id"], row["suggestions"]) for row in await _listed(product)}
    assert listed == {wrong: (NO_DEAL, []), late: (None, [lead_id])}
    assert float(product.fields(lead_id)["STRIPE_AMOUNT_PAID"]) == 25


async def _a_busy_week(product: World) -> int:
    """A deal with a payment, a refund and a lost dispute, a contract with a renewal, and somebody else's payment."""
    lead_id = await product.paid_deal()
    payment = product.fields(lead_id)["STRIPE_PAYMENT_INTENT"]
    product.stripe.refund(payment, 500)
    product.stripe.close_dispute(product.stripe.open_dispute(payment)["id"], "lost")
    contract = product.lead("Hosting")
    await product.pay(await product.link(contract, mode="subscription", interval="month"))
    await product.quiet()
    product.stripe.renew_subscription(next(product.stripe.default_account.shelves[True].newest("subscription"))["id"])
    product.stripe.foreign_payment(Foreign("session"), live=True)
    await product.until(lambda: float(product.fields(contract).get("STRIPE_AMOUNT_PAID") or 0) == 240)
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Disputed")
    await product.quiet()
    return lead_id


async def test_replaying_every_event_changes_nothing_in_ledger_or_deals(product: World) -> None:
    lead_id = await _a_busy_week(product)
    before, deal, calls = await _picture(product), product.deal(lead_id), len(product.stripe.seen)
    writes = sum(asked.is_write for asked in product.kommo.requests)
    count = await replay_all(product.resources)
    await product.quiet()
    assert count == len([event for event in await product.rows(InboxEvent) if event.body is not None]) > 10
    assert await _picture(product) == before
    assert (product.deal(lead_id), len(product.stripe.seen)) == (deal, calls)
    assert sum(asked.is_write for asked in product.kommo.requests) == writes


async def _picture(product: World) -> dict[str, list[str]]:
    """What the database holds of money and of deals, whole."""
    tables = (LedgerEntry, LedgerLink, Deal, CardWrite)
    return {t.__name__: sorted(repr(sorted(dict(row).items())) for row in await product.rows(t)) for t in tables}
