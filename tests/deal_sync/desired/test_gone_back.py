"""Money that went back: inquiries, disputes with several turns, captures in part, parts in another currency."""

from itertools import permutations
from typing import Any

import pytest

from backend.core.i18n import LANGUAGES
from backend.deal_sync.desired.render import Wanted, render
from backend.deal_sync.desired.texts import texts
from backend.payments.deal.explain import DealContext, explain
from tests.ledger.build import request
from tests.ledger.events import LEAD, REQUEST, T0, dispute, evt, intent, refund, session
from tests.ledger.in_memory import Book

HELD = {"amount": 20675, "amount_received": 20300, "capture_method": "manual"}
PAID = evt("payment_intent.succeeded", intent())
DUE = 1_809_000_000


def charge(refunded: int, **given: Any) -> dict[str, Any]:
    return {"id": "ch_1", "payment_intent": "pi_1", "amount": 20675, "amount_captured": 20300, "captured": True,
            "amount_refunded": refunded, "currency": "eur"} | given  # fmt: skip


def said(wanted: Wanted) -> dict[str, str]:
    return {note.fact_id: note.text for note in wanted.notes if not note.fact_id.startswith("payment")}


def tasks(wanted: Wanted) -> dict[str, bool]:
    """Fact → healed."""
    return {task.fact_id: task.healed for task in wanted.tasks}


# captured in part


def test_what_was_held_and_not_captured_is_no_refund() -> None:
    told = [
        evt("payment_intent.succeeded", intent(**HELD)),
        evt("charge.refunded", charge(375)),
        evt("refund.created", {**refund("re_0", 375), "created": T0}),
    ]
    deal = Book().tell_events(told).deal()
    assert (deal.state, deal.gross, deal.refunded, deal.payments[0].refunds) == ("paid", 20300, 0, ())
    assert list(said(Book().tell_events(told).cards()[LEAD])) == []


@pytest.mark.parametrize("family", ["objects and totals", "objects alone", "totals alone", "no object for the release"])
def test_a_true_refund_after_a_capture_in_part_counts_once(family: str) -> None:
    told = [evt("payment_intent.succeeded", intent(**HELD))]
    if family != "objects alone":
        told += [evt("charge.refunded", charge(375)), evt("charge.refunded", charge(375 + 1000), T0 + 90)]
    if family != "totals alone":
        told += [evt("refund.created", {**refund("re_9", 1000), "created": T0 + 90})]
    if family.startswith("objects"):
        told += [evt("refund.created", {**refund("re_0", 375), "created": T0})]
    for order in (told, told[::-1]):
        (payment,) = Book().tell_events(order).deal().payments
        assert (payment.refunded, payment.amount - payment.refunded) == (1000, 19300)


def test_a_later_refund_of_just_as_much_as_was_released_is_a_refund() -> None:
    told = [
        evt("payment_intent.succeeded", intent(**HELD)),
        evt("refund.created", {**refund("re_0", 375), "created": T0}),
        evt("refund.created", {**refund("re_9", 375), "created": T0 + 3600}),
    ]
    assert Book().tell_events(told).deal().refunded == 375


def test_a_hold_that_was_let_go_is_no_refund() -> None:
    let_go = charge(20675, amount_captured=0, captured=False)
    told = [evt("payment_intent.canceled", intent(status="canceled")), evt("charge.refunded", let_go)]
    (payment,) = Book().tell_events(told).deal().payments
    assert (payment.refunded, payment.received) == (0, False)


# parts in another currency

YEN = intent(amount=10000, amount_received=10000, currency="jpy")


def lost_in_dollars(*moves: dict[str, Any], **paid: Any) -> Book:
    gone = {**dispute("lost"), "amount": 6500, "currency": "usd", "balance_transactions": list(moves)}
    told = [evt("payment_intent.succeeded", YEN | paid), evt("charge.dispute.closed", gone, T0 + 70)]
    return Book({REQUEST: (LEAD, request(id=REQUEST, created_at=T0 - 1.0, currency="JPY"))}).tell_events(told)


def test_a_part_is_worth_what_it_took_from_the_balance() -> None:
    book = lost_in_dollars({"id": "txn_1", "amount": -9700, "currency": "jpy"})
    assert (book.deal().refunded, book.deal().currency) == (9700, "JPY")
    assert "65.00 USD" in said(book.cards()[LEAD])["dispute:du_1:lost"]
    assert "9700 JPY" in said(book.cards()[LEAD])["dispute:du_1:lost"]


def test_without_it_the_whole_payment_counts_and_the_note_says_so() -> None:
    book = lost_in_dollars({"id": "txn_1", "amount": -6100, "currency": "eur"})
    assert book.deal().refunded == 10000
    assert "not known, so the whole payment of 10000 JPY counts" in said(book.cards()[LEAD])["dispute:du_1:lost"]


def test_a_part_in_the_payers_currency_is_worth_its_share() -> None:
    book = lost_in_dollars()
    book.tell({"pi_1": {"presentment": [13000, "USD"]}})
    assert book.deal().refunded == 5000


def test_a_refund_in_another_currency_is_never_added_raw() -> None:
    book = lost_in_dollars({"id": "txn_1", "amount": -9700, "currency": "jpy"})
    book = Book(book.requests).tell_events(
        [
            evt("payment_intent.succeeded", YEN),
            evt("refund.created", {**refund("re_1", 650), "currency": "usd",
                                   "balance_transaction": {"id": "txn_1", "amount": -1000, "currency": "jpy"}}),
        ]
    )  # fmt: skip
    assert book.deal().refunded == 1000


def test_a_refund_in_another_currency_is_worth_what_the_charges_total_grew_by() -> None:
    part = {**refund("re_1", 650), "currency": "usd", "created": T0 + 90}
    told = [
        evt("payment_intent.succeeded", YEN),
        evt("refund.created", {**refund("re_0", 2000), "currency": "jpy"}),
        evt("refund.created", part, T0 + 90),
        evt(
            "charge.refunded",
            {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 3000, "currency": "jpy"},
            T0 + 91,
        ),
    ]
    for order in permutations(told):
        book = Book({REQUEST: (LEAD, request(id=REQUEST, created_at=T0 - 1.0, currency="JPY"))}).tell_events(order)
        assert book.deal().refunded == 3000
        assert "counts as 1000 JPY" in said(book.cards()[LEAD])["refund:re_1"]


# disputes that are decided more than once


def test_each_decision_is_told_once_also_when_it_is_the_same_again() -> None:
    book, seen = Book().tell_events([PAID]), list[str]()
    moves: list[int] = [-10000]
    for turn, outcome in enumerate(["won", "lost", "won"]):
        moves.append(10000 if outcome == "won" else -10000)
        book.tell_events([evt("charge.dispute.closed", dispute(outcome, *moves), T0 + 70 + turn)])
        seen += [one for one in said(book.cards()[LEAD]) if one not in seen]
    assert seen == ["dispute:du_1", "dispute:du_1:won", "dispute:du_1:lost", "dispute:du_1:won:2"]
    assert book.deal().state == "paid"


def test_several_events_of_one_decision_are_one_decision() -> None:
    told = [evt("charge.dispute.closed", dispute("won", -10000), T0 + 70),
            evt("charge.dispute.funds_reinstated", dispute("won", -10000, 10000), T0 + 70),
            evt("charge.dispute.updated", dispute("won", -10000, 10000), T0 + 99)]  # fmt: skip
    assert [one.decided for one in Book().tell_events([PAID, *told]).deal().payments[0].disputes] == [1]


# inquiries

ASKED = evt("charge.dispute.created", dispute("warning_needs_response", evidence_details={"due_by": DUE}), T0 + 60)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_inquiry_has_words_and_a_task_of_its_own_with_its_last_day(language: str) -> None:
    deal = Book().tell_events([evt("checkout.session.completed", session()), PAID, ASKED]).deal()
    wanted = render(deal, texts(language), link_base="https://pay.example", test=False)
    english = render(deal, texts("en"), link_base="https://pay.example", test=False)
    assert wanted.fields["STRIPE_PAYMENT_STATUS"] == "paid"
    assert list(said(wanted)) == ["inquiry:du_1"]
    (task,) = wanted.tasks
    assert (task.fact_id, task.healed, "2027" in task.text) == ("inquiry:du_1", False, True)
    assert "2027" in explain(deal, DealContext(), language)
    assert language == "en" or (task.text, said(wanted)) != (english.tasks[0].text, said(english))
    assert deal.payments[0].state == "inquiry"


def test_an_inquiry_that_becomes_a_dispute_is_told_and_its_task_gives_way() -> None:
    book = Book().tell_events([PAID, ASKED, evt("charge.dispute.updated", dispute("needs_response"), T0 + 80)])
    wanted = book.cards()[LEAD]
    assert "became a dispute" in said(wanted)["dispute:du_1"]
    assert tasks(wanted) == {"inquiry:du_1": True, "dispute:du_1": False}
    assert book.deal().state == "disputed"


def test_an_inquiry_that_is_answered_or_over_asks_for_nothing() -> None:
    answered = Book().tell_events(
        [PAID, ASKED, evt("charge.dispute.updated", dispute("warning_under_review"), T0 + 80)]
    )
    assert tasks(answered.cards()[LEAD]) == {"inquiry:du_1": True}
    assert "There is nothing to do." in explain(answered.deal(), DealContext(), "en")
    closed = answered.tell_events([evt("charge.dispute.closed", dispute("warning_closed"), T0 + 90)])
    assert (closed.deal().state, closed.deal().payments[0].state) == ("paid", "paid")
    assert "no money was taken" in said(closed.cards()[LEAD])["dispute:du_1:closed"]


def test_an_inquiry_by_klarna_can_only_be_refunded() -> None:
    asked = dispute("warning_needs_response", payment_method_details={"type": "klarna"})
    book = Book().tell_events([PAID, evt("charge.dispute.created", asked, T0 + 60)])
    (task,) = book.cards()[LEAD].tasks
    assert "can't be answered" in task.text
    assert "can't be answered" in explain(book.deal(), DealContext(), "en")


# a subscription's link paid twice


def subscribed(number: int, request_id: str = REQUEST) -> list[dict[str, Any]]:
    marks = {"kommo_lead_id": str(LEAD), "kommo_request_id": request_id, "kommo_account_id": "7"}
    named = {"id": f"cs_{number}", "mode": "subscription", "subscription": f"sub_{number}", "metadata": marks}
    paid = session(**named, payment_intent=None, invoice=f"in_{number}")
    bill = {"id": f"in_{number}", "object": "invoice", "status": "paid", "amount_paid": 10000, "currency": "eur",
            "metadata": {}, "paid_out_of_band": False, "payment_intent": f"pi_{number}",
            "subscription": f"sub_{number}", "subscription_details": {"metadata": marks},
            "billing_reason": "subscription_create", "status_transitions": {"paid_at": T0 + number}}  # fmt: skip
    return [evt("checkout.session.completed", paid, T0 + number), evt("invoice.paid", bill, T0 + number)]


def test_a_link_that_began_two_subscriptions_is_told_until_one_has_ended() -> None:
    asked = {REQUEST: (LEAD, request(id=REQUEST, created_at=T0 - 1.0, mode="subscription"))}
    once = Book(dict(asked)).tell_events(subscribed(1))
    assert (once.deal().paid_twice, tasks(once.cards()[LEAD])) == ((), {})
    twice = once.tell_events(subscribed(2))
    assert tasks(twice.cards()[LEAD]) == {f"twice:{REQUEST}": False}
    told = said(twice.cards()[LEAD])[f"twice:{REQUEST}"]
    assert all(f"/subscriptions/{one}" in told for one in ("sub_1", "sub_2"))
    over = {"id": "sub_1", "object": "subscription", "status": "canceled", "ended_at": T0 + 50, "metadata": {}}
    ended = twice.tell_events([evt("customer.subscription.deleted", over, T0 + 50)])
    assert tasks(ended.cards()[LEAD]) == {f"twice:{REQUEST}": True}
