"""Payments, refunds and disputes of shapes that are rare: what they say, and what they don't."""

from itertools import permutations

import pytest

from backend.ledger.deal import DealLedger
from backend.stripe_api.events import facts_of
from backend.web.http.schemas import payment_answer
from tests.ledger.build import deal, payment, request
from tests.ledger.events import ACCOUNT, LEAD, T0, Obj, dispute, evt, intent, invoice, invoice_payment, refund, session
from tests.ledger.in_memory import Book

UNPAID = session(payment_status="unpaid")
BEGUN = [
    evt("checkout.session.completed", UNPAID),
    evt("payment_intent.processing", intent(status="processing", amount_received=0)),
]
ENDS = {
    "cancelled": evt("payment_intent.canceled", intent(status="canceled", amount_received=0), T0 + 9),
    "failed": evt("payment_intent.payment_failed", intent(status="requires_payment_method", amount_received=0), T0 + 9),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_payment_alone_ends_what_is_on_its_way(end: Obj) -> None:
    """The session's own event, async_payment_failed, is never heard."""
    for order in permutations([*BEGUN, end]):
        book = Book().tell_events(order)
        (asked,) = book.deal().requests
        assert book.deal().request_state(asked) != "processing"
        assert not book.deal().is_under_way
    assert Book().tell_events(BEGUN).deal().is_under_way


def test_a_try_after_one_that_failed_is_on_its_way_again() -> None:
    again = evt("payment_intent.processing", intent(status="processing", amount_received=0), T0 + 20)
    assert Book().tell_events([*BEGUN, ENDS["failed"], again]).deal().is_under_way


def test_a_refund_of_a_customers_balance_is_nobodys() -> None:
    given_back = {**refund("re_1", 500), "payment_intent": None, "charge": None}
    told = evt("refund.created", given_back)
    assert facts_of(told, ACCOUNT)
    assert not any(owner.ours for owner in Book().tell_events([told]).owners().values())


def test_a_dispute_of_before_disputes_had_ids_is_known_by_its_charge() -> None:
    old = {name: value for name, value in dispute("needs_response").items() if name != "id"}
    told = [evt("payment_intent.succeeded", intent()), evt("charge.dispute.created", {**old, "charge": "ch_1"})]
    closed = evt("charge.dispute.closed", {**old, "charge": "ch_1", "status": "won"}, T0 + 99)
    assert Book().tell_events(told).deal().state == "disputed"
    assert Book().tell_events([*told, closed]).deal().state == "paid"


def test_refunds_without_ids_within_their_charge_are_known_by_it() -> None:
    rows = [
        {"amount": 300, "currency": "eur", "created": T0 + 5},
        {"amount": 200, "currency": "eur", "created": T0 + 6},
    ]
    charge = {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 500, "currency": "eur",
              "refunds": {"data": rows}}  # fmt: skip
    told = [evt("payment_intent.succeeded", intent()), evt("charge.refunded", charge)]
    assert Book().tell_events([*told, *told]).deal().refunded == 500


def deposit(**more: int) -> DealLedger:
    first = request(10000, id="r1", kind="deposit", deal_total=40000)
    return deal(first, request(30000, id="r2", **more), account_currency="EUR")


def test_the_total_of_a_deposit_holds_where_the_rest_is_asked_for_as_one_payment() -> None:
    assert deposit().expected == 40000


def test_where_more_is_asked_for_than_a_deposits_total_the_sum_holds() -> None:
    assert deal(request(10000, id="r1", kind="deposit", deal_total=40000), request(50000, id="r2")).expected == 60000


def test_money_from_outside_leads_to_its_invoice_at_stripe() -> None:
    outside = payment(id="in_1:inpay_1", invoice="in_1", outside=True, request_id=None)
    assert payment_answer(deal(outside), outside).stripe_url.endswith("/invoices/in_1")
    assert payment_answer(deal(payment()), payment()).stripe_url.endswith("/payments/pi_1")


def test_a_duplicate_that_went_back_by_dispute_needs_nobody_any_more() -> None:
    told = [
        evt("payment_intent.succeeded", intent()),
        evt("payment_intent.succeeded", intent(id="pi_2"), T0 + 5),
        evt("charge.dispute.closed", {**dispute("lost"), "payment_intent": "pi_2"}, T0 + 99),
    ]
    (task,) = [task for task in Book().tell_events(told).cards()[LEAD].tasks if task.fact_id.startswith("twice")]
    assert task.healed


def total(amount: int, at: int, before: int | None = None, version: str = "2023-08-16") -> Obj:
    """``before``: the total that the event names as the former one."""
    charge = {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": amount, "currency": "eur"}
    told = {**evt("charge.refunded", charge, T0 + at), "api_version": version}
    changed = {} if before is None else {"previous_attributes": {"amount_refunded": before}}
    return {**told, "data": told["data"] | changed}


def failed(rid: str, amount: int, made: int, at: int) -> Obj:
    """All that an endpoint of before 2024-10-28 hears of a refund by card."""
    return evt("charge.refund.updated", {**refund(rid, amount, "failed"), "created": T0 + made}, T0 + at)


PAID = evt("payment_intent.succeeded", intent())
BY_TOTAL: dict[str, tuple[list[Obj], int]] = {
    "refunded, failed, refunded again": ([total(10000, 50), failed("re_1", 10000, 50, 100), total(10000, 200)], 10000),
    "refunded in part, failed": ([total(3000, 50), failed("re_1", 3000, 50, 100)], 0),
    "in part, then the rest": ([total(3000, 50), total(10000, 200)], 10000),
    "the first failed, another in part": ([total(3000, 50), failed("re_1", 3000, 50, 100), total(2000, 200)], 2000),
    "both failed": (
        [total(3000, 50), failed("re_1", 3000, 50, 100), total(3000, 200), failed("re_2", 3000, 200, 300)],
        0,
    ),
    "failed, again, then more": (
        [total(3000, 50), failed("re_1", 3000, 50, 100), total(3000, 200), total(5000, 300)],
        5000,
    ),
    "the second of two failed, then again": (
        [total(2000, 50), total(5000, 60), failed("re_2", 3000, 60, 100), total(5000, 200)],
        5000,
    ),
    "failed, then more": ([total(3000, 50, 0), failed("re_1", 3000, 50, 100), total(5000, 200, 0)], 5000),
    "failed and kept in the total, then more": (
        [total(3000, 50, 0), failed("re_1", 3000, 50, 100), total(5000, 200, 3000)],
        2000,
    ),
}


@pytest.mark.parametrize("name", BY_TOTAL)
def test_totals_and_refunds_are_told_apart_in_every_order(name: str) -> None:
    events, gone = BY_TOTAL[name]
    for order in permutations([PAID, *events]):
        assert Book().tell_events(order).deal().refunded == gone


def by_id(rid: str, amount: int, at: int, status: str = "succeeded") -> Obj:
    kind = "refund.failed" if status == "failed" else "refund.created"
    return evt(kind, {**refund(rid, amount, status), "created": T0 + (50 if rid == "re_1" else 200)}, T0 + at)


@pytest.mark.parametrize("second", [3000, 6000], ids=["the total goes down", "the total stays"])
def test_where_refunds_are_told_by_id_both_readings_of_a_failed_ones_total_come_to_the_same(second: int) -> None:
    told = [total(3000, 50, version="2026-10-28"), by_id("re_1", 3000, 50), by_id("re_1", 3000, 100, "failed"),
            total(second, 200, version="2026-10-28"), by_id("re_2", 3000, 200)]  # fmt: skip
    assert Book().tell_events([PAID, *told]).deal().refunded == 3000


def test_a_total_that_grew_has_a_note_of_its_own_where_nothing_else_tells() -> None:
    book = Book().tell_events([PAID, total(3000, 50)])
    (first,) = [note for note in book.cards()[LEAD].notes if note.fact_id.startswith("refunded:")]
    (second,) = [
        note for note in book.tell_events([total(5000, 90)]).cards()[LEAD].notes if note.fact_id.startswith("refunded:")
    ]
    assert "30.00" in first.text
    assert "50.00" in second.text
    assert first.fact_id != second.fact_id
    pinned = Book().tell_events([PAID, total(3000, 50, version="2026-10-28.endive")]).cards()[LEAD].notes
    assert not [note for note in pinned if note.fact_id.startswith("refunded:")]


def test_an_invoice_that_tells_its_last_payment_only_takes_no_part_twice() -> None:
    """On an endpoint of before basil: 300 of 1,100 came by another payment, and the invoice names the last one."""
    part = evt(
        "invoice_payment.paid",
        invoice_payment(payment={"type": "payment_intent", "payment_intent": "pi_1"}, amount_paid=300),
    )
    whole = evt("invoice.paid", invoice(paid=True, paid_out_of_band=False, payment_intent="pi_2", amount_paid=1100))
    for events in permutations([part, whole]):
        (ledger,) = (one for one in Book().tell_events(events).deals().values() if one.received_anywhere)
        assert {one.id: one.amount for one in ledger.received_anywhere} == {"pi_1": 300, "pi_2": 800}
