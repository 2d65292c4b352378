"""Whatever order, whatever doubled: the same ledger and the same wanted card, byte for byte."""

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from math import factorial
from typing import Any

import pytest

from backend.facts import Fact, Known, by_subject
from tests.ledger.build import request
from tests.ledger.events import LEAD, LIFE, MARKS, REQUEST, T0, dispute, evt, intent, refund, session
from tests.ledger.in_memory import Book, told_by

KnownFacts = Mapping[str, Known]
SECOND = "0d6b1c9e-8a34-4a52-9d1c-5f5f5b1f0002"


def pictures(life: Sequence[KnownFacts], book: Callable[[], Book] = Book, *, doubled: bool = True) -> set[bytes]:
    """Of every order of ``life``; each event comes again when all were there."""
    seen = set()
    for order in permutations(life):
        told = book()
        for one in [*order, *(reversed(order) if doubled else ())]:
            told.tell(one)
        seen.add(told.picture())
    return seen


def attached(payment: str, lead: int, word: int = 1) -> KnownFacts:
    return by_subject([Fact(payment, "attached", [word, lead])])


def test_all_5040_orders_of_a_payments_life_each_event_doubled() -> None:
    assert factorial(len(LIFE)) == 5040
    assert len(pictures([told_by(event) for event in LIFE])) == 1


def test_each_event_may_come_again_at_any_place() -> None:
    """Every order of a shorter life with every event twice, in all its places."""
    life = [told_by(LIFE[at]) for at in (0, 1, 3)]
    seen = set()
    for order in permutations([*life, *life]):
        book = Book()
        for one in order:
            book.tell(one)
        seen.add(book.picture())
    assert len(seen) == 1


def appealed(outcome: str) -> list[dict[str, Any]]:
    return [
        evt("payment_intent.succeeded", intent()),
        evt("charge.dispute.created", dispute("needs_response"), T0 + 60),
        evt("charge.dispute.closed", dispute("lost"), T0 + 61),
        evt("charge.dispute.updated", dispute("appeal_needs_response"), T0 + 62),
        evt("charge.dispute.updated", dispute("appeal_under_review"), T0 + 63),
        evt("charge.dispute.closed", dispute(outcome), T0 + 64),
    ]


def turned(*outcomes: str, booked: bool = True) -> list[dict[str, Any]]:
    """Decided again and again, a second apart; ``booked``: each time the list of movements grows, as believed."""
    told = [
        evt("payment_intent.succeeded", intent()),
        evt("charge.dispute.created", dispute("needs_response"), T0 + 60),
    ]
    moves = [-10000]
    for turn, outcome in enumerate(outcomes):
        if booked and outcome != ("lost" if len(moves) % 2 else "won"):
            moves = [*moves, 10000 if outcome == "won" else -10000]
        at = T0 + 61 if booked else T0 + 61 + turn
        told.append(evt("charge.dispute.closed", dispute(outcome, *moves), at) | {"id": f"evt_{turn}"})
    return told


DELAYED = [
    evt("checkout.session.completed", session(payment_status="unpaid")),
    evt("payment_intent.processing", intent(status="processing", amount_received=0)),
    evt("payment_intent.payment_failed", intent(status="requires_payment_method", amount_received=0), T0 + 20),
    evt("checkout.session.async_payment_failed", session(payment_status="unpaid"), T0 + 20),
    evt("checkout.session.completed", session(id="cs_2", payment_intent="pi_2"), T0 + 40),
    evt("payment_intent.succeeded", intent(id="pi_2"), T0 + 40),
]
"""A bank debit fails, and the client pays by card through the same link."""

LIVES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "lost, appealed, lost": (appealed("lost"), "disputed"),
    "lost, appealed, won": (appealed("won"), "paid"),
    "won, then lost": (turned("won", "lost"), "disputed"),
    "lost, then won": (turned("lost", "won"), "paid"),
    "lost, won, lost": (turned("lost", "won", "lost"), "disputed"),
    "won, lost, won": (turned("won", "lost", "won"), "paid"),
    "won, then lost, and no movement tells": (turned("won", "lost", booked=False), "disputed"),
    "lost, won, lost, and no movement tells": (turned("lost", "won", "lost", booked=False), "disputed"),
    "won, and taken up once more": (
        [*turned("won"), evt("charge.dispute.updated", dispute("under_review", -10000, 10000, -10000), T0 + 70)],
        "disputed",
    ),
    "given back though it is lost": (
        [*turned("lost"), evt("charge.dispute.funds_reinstated", dispute("lost", -10000, 10000), T0 + 70)],
        "disputed",
    ),
    "an inquiry that became a dispute and was lost": (
        [
            evt("payment_intent.succeeded", intent()),
            evt("charge.dispute.created", dispute("warning_needs_response"), T0 + 60),
            evt("charge.dispute.updated", dispute("needs_response"), T0 + 61),
            evt("charge.dispute.funds_withdrawn", dispute("needs_response", -10000), T0 + 61),
            evt("charge.dispute.closed", dispute("lost", -10000), T0 + 62),
        ],
        "disputed",
    ),
    "two disputes on one payment": (
        [
            evt("payment_intent.succeeded", intent()),
            evt("charge.dispute.created", dispute("needs_response")),
            evt("charge.dispute.closed", dispute("won"), T0 + 70),
            evt("charge.dispute.created", {**dispute("needs_response"), "id": "du_2", "amount": 4000}, T0 + 80),
            evt("charge.dispute.closed", {**dispute("lost"), "id": "du_2", "amount": 4000}, T0 + 90),
        ],
        "disputed",
    ),
    "a delayed payment failed and was tried again": (DELAYED, "paid"),
    "a refund that failed after it had succeeded": (
        [
            evt("checkout.session.completed", session()),
            evt("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 10000,
                                    "currency": "eur"}),
            evt("refund.created", refund("re_1", 10000, "pending")),
            evt("refund.updated", refund("re_1", 10000)),
            evt("refund.failed", refund("re_1", 10000, "failed")),
        ],
        "paid",
    ),
    "a refund that failed, told to an endpoint of before acacia": (
        [
            evt("checkout.session.completed", session()),
            evt("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 10000,
                                    "currency": "eur"}),
            evt("charge.refund.updated", refund("re_1", 10000, "failed")),
        ],
        "paid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVES)
def test_all_orders_of_a_life_end_in_one_state(name: str) -> None:
    events, state = LIVES[name]
    assert len(pictures([told_by(event) for event in events])) == 1
    assert Book().tell_events(events).deal().state == state


def test_two_leads_in_one_payment_are_settled_by_rank_in_every_order() -> None:
    named = [
        evt("payment_intent.succeeded", intent(metadata={"kommo_lead_id": "30"})),
        evt("checkout.session.completed", session(metadata={"kommo_lead_id": "10"}, client_reference_id="10")),
        evt("checkout.session.completed", session(id="cs_2", metadata={"kommo_lead_id": "20"})),
        evt("refund.created", refund("re_1", 500)),
        evt("charge.dispute.created", dispute("needs_response")),
    ]
    life = [told_by(event) for event in named]
    assert len(pictures(life)) == 1
    owners = Book().tell_events(named).owners()
    assert {owners[one].lead_id for one in ("pi_1", "re_1", "du_1")} == {30}


def test_of_two_sessions_the_smallest_deal_is_taken_in_every_order() -> None:
    named = [
        evt("payment_intent.succeeded", intent(metadata={})),
        evt("checkout.session.completed", session(metadata={"kommo_lead_id": "20"})),
        evt("checkout.session.completed", session(id="cs_2", metadata={"kommo_lead_id": "10"})),
    ]
    assert len(pictures([told_by(event) for event in named])) == 1
    assert Book().tell_events(named).owners()["pi_1"].lead_id == 10


def test_attaching_in_the_middle_of_a_life_comes_to_the_same() -> None:
    life = [*(told_by(event) for event in LIFE[:5]), attached("pi_1", 99)]
    assert len(pictures(life)) == 1
    book = Book().tell_events(LIFE[:5])
    book.attach("pi_1", 99)
    assert {book.owners()[one].lead_id for one in ("pi_1", "re_1", "re_2")} == {99}
    assert (book.deal(99).gross, book.deal(LEAD).gross) == (10000, 0)


def test_of_several_words_of_people_the_latest_counts_in_every_order() -> None:
    life = [told_by(LIFE[1]), attached("pi_1", 99, 1), attached("pi_1", 0, 2), attached("pi_1", 55, 3)]
    assert len(pictures(life)) == 1
    book = Book()
    for one in life:
        book.tell(one)
    assert book.owners()["pi_1"].lead_id == 55


def test_a_link_paid_twice_says_so_in_every_order() -> None:
    again = session(id="cs_2", payment_intent="pi_2")
    life = [
        evt("checkout.session.completed", session()),
        evt("payment_intent.succeeded", intent()),
        evt("checkout.session.completed", again, T0 + 5),
        evt("payment_intent.succeeded", intent(id="pi_2"), T0 + 5),
        evt("refund.created", {**refund("re_1", 10000), "payment_intent": "pi_2"}),
    ]
    assert len(pictures([told_by(event) for event in life])) == 1
    wanted = Book().tell_events(life).cards()[LEAD]
    assert wanted.fields["STRIPE_PAYMENT_STATUS"] == "paid"
    assert [task.healed for task in wanted.tasks if task.fact_id.startswith("twice")] == [True]


def test_two_requests_of_one_deal_in_every_order() -> None:
    def book() -> Book:
        requests = {REQUEST: (LEAD, request(id=REQUEST, created_at=T0 - 100.0)),
                    SECOND: (LEAD, request(5000, id=SECOND, created_at=T0 - 50.0))}  # fmt: skip
        return Book(requests)

    second = {**MARKS, "kommo_request_id": SECOND}
    life = [
        evt("checkout.session.completed", session()),
        evt("payment_intent.succeeded", intent(id="pi_2", metadata=second, amount_received=5000), T0 + 5),
        evt("checkout.session.completed", session(id="cs_2", payment_intent="pi_2", metadata=second, amount_total=5000,
                                                  amount_subtotal=5000), T0 + 5),
        evt("refund.created", refund("re_1", 2000)),
        evt("charge.dispute.created", dispute("warning_needs_response")),
        evt("charge.dispute.closed", dispute("warning_closed")),
    ]  # fmt: skip
    assert len(pictures([told_by(event) for event in life], book)) == 1
