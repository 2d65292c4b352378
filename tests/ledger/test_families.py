"""An endpoint of any version: both families of shapes say the same about the money."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from backend.stripe_api.events import HANDLERS, facts_of
from sandbox.stripe.delivery.events import LEGACY_NEVER
from sandbox.stripe.objects.schemas import Family, blank
from tests.ledger.events import ACCOUNT, LEAD, T0, evt
from tests.ledger.in_memory import Book
from tests.ledger.lives import OTHER_LEAD, everything, marks, seen

FAMILIES: tuple[Family, ...] = ("pinned", "legacy")
NOT_PLAYED = {"payment_intent.canceled"}
"""Sessions' PaymentIntents can't be cancelled; see the test of its own."""
WORLD = everything()
SHOWN: Mapping[Family, list[dict[str, Any]]] = {family: seen(WORLD, family) for family in FAMILIES}


def _book(events: list[dict[str, Any]]) -> Book:
    return Book().tell_events(event for event in events if event["type"] in HANDLERS)


def _known_to_legacy(event: dict[str, Any]) -> bool:
    """InvoicePayment is younger than the older family, and so are the events of refunds by card."""
    return event["type"] not in LEGACY_NEVER


@pytest.mark.parametrize("family", FAMILIES)
def test_every_type_that_we_react_to_tells_something(family: Family) -> None:
    told = {event["type"] for event in SHOWN[family] if facts_of(event, ACCOUNT)}
    assert told == HANDLERS.keys() - NOT_PLAYED


@pytest.mark.parametrize("name", sorted(HANDLERS.keys() - NOT_PLAYED - {"invoice_payment.paid"}))
def test_both_shapes_of_an_event_name_the_same_money(name: str) -> None:
    pairs = [
        ({(f.subject, f.name): f.value for f in facts_of(pinned, ACCOUNT)},
         {(f.subject, f.name): f.value for f in facts_of(legacy, ACCOUNT)})
        for pinned, legacy in zip(SHOWN["pinned"], SHOWN["legacy"], strict=True)
        if pinned["type"] == name
    ]  # fmt: skip
    assert pairs
    for pinned, legacy in pairs:
        both = pinned.keys() & legacy.keys() - {(subject, "asked") for subject, _ in pinned if subject[:3] == "in_"}
        assert both
        assert {key: pinned[key] for key in both} == {key: legacy[key] for key in both}


@pytest.mark.parametrize("lead", [LEAD, OTHER_LEAD])
def test_an_account_seen_in_either_family_has_the_same_cards(lead: int) -> None:
    pinned = _book(SHOWN["pinned"])
    legacy = _book([event for event in SHOWN["legacy"] if _known_to_legacy(event)])
    assert _amounts(legacy, lead) == _amounts(pinned, lead)
    assert pinned.cards()[lead].fields == legacy.cards()[lead].fields
    assert [task.healed for task in pinned.cards()[lead].tasks] == [task.healed for task in legacy.cards()[lead].tasks]


def _amounts(book: Book, lead: int) -> list[tuple[str, int, int, str]]:
    payments = book.deal(lead).received_anywhere
    return sorted((payment.stripe_id, payment.amount, payment.refunded, payment.state) for payment in payments)


@pytest.mark.parametrize("seed", range(8))
def test_each_event_in_one_of_its_two_shapes_or_both_in_any_order_gives_one_ledger(seed: int) -> None:
    dice = Random(seed)
    mixed = []
    for pinned, legacy in zip(SHOWN["pinned"], SHOWN["legacy"], strict=True):
        mixed += dice.choice([[pinned], [legacy], [legacy, pinned], [pinned, pinned]])
    dice.shuffle(mixed)
    book, straight = _book(mixed), _book(SHOWN["pinned"])
    for lead in (LEAD, OTHER_LEAD):
        assert _amounts(book, lead) == _amounts(straight, lead)
        assert book.cards()[lead].fields == straight.cards()[lead].fields


def test_the_played_account_adds_up() -> None:
    """So that the comparisons above compare something: 10.00 + tax, an invoice, three periods; and so on."""
    book = _book(SHOWN["pinned"])
    assert [payment.amount for payment in book.deal(LEAD).received_anywhere].count(1000) == 3
    assert book.deal(LEAD).gross == 1190 + 1000 + 3 * 1000 + 250 + 150
    assert book.deal(OTHER_LEAD).gross == 1000 + 1000 + 2 * 1000 + 2000 + 3000 + 700 + 2 * 400
    assert book.deal(OTHER_LEAD).refunded == 500 + 1000
    assert [renewal.healed for renewal in book.deal(LEAD).failed_renewals] == [True]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cancelled_payment_is_under_way_no_more(family: Family) -> None:
    asked = {"id": "pi_9", "object": "payment_intent", "currency": "eur", "metadata": marks(LEAD), "amount": 5}
    intent = blank("payment_intent", family) | asked
    begun = evt("payment_intent.processing", {**intent, "status": "processing"})
    ended = evt("payment_intent.canceled", {**intent, "status": "canceled"}, T0 + 9)
    for order in ([begun, ended], [ended, begun]):
        (payment,) = Book(requests={}).tell_events(order).deal().payments
        assert payment.state == "canceled"
