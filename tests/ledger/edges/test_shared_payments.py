"""One PaymentIntent that pays invoices of two deals: each deal has its shares, of the money and of what goes back."""

import random

import pytest

from backend.facts import by_subject
from backend.ledger.deal import DealLedger
from backend.stripe_api.events import rest_outside_facts
from sandbox.stripe import StripeWorld
from sandbox.stripe.objects.schemas import VERSIONS, Family
from tests.ledger.events import ACCOUNT, T0, evt, invoice, invoice_payment
from tests.ledger.in_memory import Book
from tests.ledger.lives import SENT_TO_OLD, marks

HERE, THERE = 4711, 815


def _together(*sums: int) -> tuple[StripeWorld, str]:
    """Invoices of the two deals in turn, paid by one payment; its id."""
    world = StripeWorld(lambda: 1_795_430_000.0, switches=SENT_TO_OLD, seed=1)
    leads = (HERE, THERE) * len(sums)
    sent = [
        world.send_invoice(amount, "eur", marks(lead), live=True) for amount, lead in zip(sums, leads, strict=False)
    ]
    return world, str(world.pay_invoices([one["id"] for one in sent])["id"])


def _told(world: StripeWorld, family: Family = "pinned", seed: int | None = None) -> dict[int, DealLedger]:
    events = [event.shown(VERSIONS[family], 0) for event in world.events]
    if seed is not None:
        random.Random(seed).shuffle(events)
    return Book(requests={}).tell_events(events).deals()


@pytest.mark.parametrize("family", ["pinned", "legacy"])
def test_each_deal_has_the_shares_of_its_own_invoices(family: Family) -> None:
    world, payment = _together(1000, 700, 40)
    for seed in range(20):
        deals = _told(world, family, seed)
        assert {lead: deal.gross for lead, deal in deals.items()} == {HERE: 1040, THERE: 700}
        assert [deal.received_anywhere[0].id for deal in deals.values()] == [payment] * 2


def test_what_goes_back_is_divided_as_the_payment_is_and_adds_up_to_the_cent() -> None:
    world, payment = _together(1000, 500)
    for amount in (5, 5, 100, 1):
        world.refund(payment, amount)
    deals = _told(world)
    assert {lead: deal.refunded for lead, deal in deals.items()} == {HERE: 74, THERE: 37}
    world.refund(payment, None)
    assert {deal.state for deal in _told(world).values()} == {"refunded"}


def test_before_the_other_invoice_is_heard_of_nobody_has_more_than_was_paid() -> None:
    world, _ = _together(1000, 500)
    events = [event.shown(VERSIONS["pinned"], 0) for event in world.events]
    for seed in range(20):
        random.Random(seed).shuffle(events)
        book = Book(requests={})
        for event in events:
            book.tell_events([event])
            assert sum(deal.gross for deal in book.deals().values()) <= 1500


def test_what_a_person_attached_is_not_divided() -> None:
    world, payment = _together(1000, 500)
    book = Book(requests={}).tell_events(event.shown(VERSIONS["pinned"], 0) for event in world.events)
    book.attach(payment, 99)
    assert {lead: deal.gross for lead, deal in book.deals().items()} == {HERE: 0, THERE: 0, 99: 1500}


def test_in_merged_deals_the_payment_is_whole_again() -> None:
    world, _ = _together(1000, 500)
    book = Book(requests={}).tell_events(event.shown(VERSIONS["pinned"], 0) for event in world.events)
    book.merge_deals(THERE, HERE)
    assert {lead: deal.gross for lead, deal in book.deals().items()} == {HERE: 1500}


def test_what_came_outside_is_the_rest_of_its_invoice_on_whatever_deals_the_parts_are() -> None:
    """Of 5,000 in an invoice that names no deal, 2,000 came by card; a person attaches both parts."""
    nowhere = {"kommo_account_id": str(ACCOUNT), "kommo_lead_id": "none"}
    told = [
        evt("invoice.paid", invoice(parent=None, metadata=nowhere, billing_reason="manual", amount_paid=5000)),
        evt("invoice_payment.paid", invoice_payment(amount_paid=2000)),
    ]
    for other in (HERE, THERE):
        book = Book(requests={}).tell_events(told)
        book.tell(by_subject(rest_outside_facts("in_1", (5000, "EUR"), T0 + 5.0)))
        book.attach("in_1:outside", HERE)
        book.attach("pi_1", other)
        sums = {(lead, one.id): one.amount for lead, deal in book.deals().items() for one in deal.received_anywhere}
        assert sums == {(HERE, "in_1:outside"): 3000, (other, "pi_1"): 2000}
