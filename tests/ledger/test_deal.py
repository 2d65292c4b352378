"""The nine states and the sums, row by row of the table."""

import pytest

from backend.core.money import Money
from backend.ledger.deal import DealLedger
from backend.ledger.parts import Decline
from tests.ledger.build import DAY, NOW, deal, dispute, payment, refund, request, session


@pytest.mark.parametrize(
    ("state", "ledger"),
    [
        ("pending", deal(request())),
        ("pending", deal(request(sessions=(session("expired"),)))),
        ("processing", deal(request(sessions=(session("complete", "unpaid"),)))),
        ("processing", deal(request(), payment(0, paid_at=None, processing=True))),
        ("paid", deal(request(), payment())),
        ("paid", deal(payment(request_id=None))),
        ("paid", deal(request(sessions=(session("complete", "no_payment_required", asked=(0, "EUR")),)))),
        ("partially_paid", deal(request(), request(id="r2"), payment())),
        ("partially_paid", deal(request(kind="deposit", deal_total=40000), payment())),
        ("cancelled", deal(request(cancelled=True))),
        ("cancelled", deal(request(cancelled=True), request(id="r2", replaced_by="r1"))),
        ("cancelled", deal(request(expires_at=NOW - 1, ended=True))),
        ("cancelled", deal(request(cancelled=True, sessions=(session("complete", "unpaid", async_failed=NOW - DAY),)))),
        (
            "failed",
            deal(
                request(expires_at=NOW - 1, ended=True, sessions=(session("complete", "unpaid", async_failed=NOW - 9),))
            ),
        ),
        ("failed", deal(request(sessions=(session("complete", "unpaid", async_failed=NOW - DAY),)))),
        (
            "failed",
            deal(
                request(cancelled=True),
                request(id="r2", sessions=(session("complete", "unpaid", async_failed=NOW - DAY),)),
            ),
        ),
        ("pending", deal(request(cancelled=True), request(id="r2"))),
        ("pending", deal(request(sessions=(session("complete", "unpaid", async_failed=NOW - DAY + 1),)))),
        (
            "pending",  # a card was declined since
            deal(
                request(sessions=(session("complete", "unpaid", async_failed=NOW - 2 * DAY),)),
                payment(0, paid_at=None, decline=Decline(NOW - 60, "declined")),
            ),
        ),
        ("refunded", deal(request(), payment(refunds=(refund(10000),)))),
        ("refunded", deal(request(), payment(refunds=(refund(10000, "pending"),)))),
        ("partially_refunded", deal(request(), payment(refunds=(refund(1),)))),
        ("partially_refunded", deal(request(), payment(refunded_total=500))),
        ("disputed", deal(request(), payment(disputes=(dispute("needs_response"),)))),
        ("disputed", deal(request(), payment(disputes=(dispute("lost"),)))),
        ("paid", deal(request(), payment(disputes=(dispute("won"),)))),
        ("paid", deal(request(), payment(disputes=(dispute("warning_closed"),)))),
        ("paid", deal(request(), payment(refunds=(refund(10000, "failed"),)))),
    ],
)
def test_the_first_state_that_holds(state: str, ledger: DealLedger) -> None:
    assert ledger.state == state


def test_refunding_a_duplicate_leaves_a_paid_deal_paid() -> None:
    ledger = deal(request(), payment(), payment(id="pi_2", refunds=(refund(10000),)))
    assert ledger.state == "paid"
    assert [twice.id for twice in ledger.paid_twice] == ["r1"]


def test_money_without_a_request_is_beyond_what_is_expected() -> None:
    stray = payment(3000, id="pi_2", request_id=None)
    assert deal(request(), payment(), stray).beyond == (Money(3000, "EUR"),)
    assert deal(request(), stray).beyond == ()
    assert deal(request(), payment(), payment(3000, id="pi_2", request_id=None, refunds=(refund(3000),))).beyond == ()


def test_a_link_paid_twice_and_the_periods_of_a_contract_are_not_beyond_it() -> None:
    assert deal(request(), payment(), payment(id="pi_2")).beyond == ()
    assert deal(request(), payment(), payment(id="pi_2", request_id=None, subscription="sub_9")).beyond == ()
    assert deal(payment(request_id=None), payment(id="pi_2", request_id=None)).beyond == ()


def test_a_cancelled_request_is_not_expected_any_more() -> None:
    assert deal(request(), request(5000, id="r2", cancelled=True)).expected == 10000


def test_a_cancelled_request_that_was_paid_all_the_same_counts() -> None:
    ledger = deal(request(cancelled=True), payment())
    assert (ledger.expected, ledger.state) == (10000, "paid")


def test_a_settled_request_is_worth_what_was_paid_for_it() -> None:
    ledger = deal(request(12000), payment(14520))
    assert (ledger.expected, ledger.outstanding, ledger.beyond) == (14520, 0, ())


def test_deposit_and_rest_make_the_total() -> None:
    ledger = deal(
        request(kind="deposit", deal_total=40000),
        request(30000, id="r2", kind="rest"),
        payment(),
    )
    assert (ledger.expected, ledger.outstanding, ledger.state) == (40000, 30000, "partially_paid")


def test_a_subscription_is_worth_its_settled_periods() -> None:
    ledger = deal(
        request(mode="subscription"),
        payment(subscription="sub_1"),
        payment(id="pi_2", subscription="sub_1"),
    )
    assert (ledger.expected, ledger.gross, ledger.state, ledger.paid_twice) == (20000, 20000, "paid", ())


def test_a_refund_reopens_no_debt() -> None:
    assert deal(request(), payment(refunds=(refund(10000),))).outstanding == 0


def test_money_in_another_currency_is_never_added() -> None:
    ledger = deal(request(), payment(), payment(700, id="pi_2", currency="USD", request_id=None))
    assert (ledger.gross, [p.id for p in ledger.elsewhere]) == (10000, ["pi_2"])


def test_a_deal_is_paid_only_when_nothing_is_open_in_any_currency() -> None:
    ledger = deal(request(100000), payment(500, currency="USD", request_id=None))
    assert (ledger.state, ledger.currency, ledger.gross) == ("partially_paid", "USD", 500)
    assert [(one.outstanding, one.currency) for one in ledger.open_sums] == [(100000, "EUR")]


def test_asking_in_the_accounts_currency_does_not_hide_what_was_paid_in_another() -> None:
    ledger = deal(
        request(50000, currency="USD"),
        payment(50000, currency="USD"),
        request(1000, id="r2", created_at=NOW - 60),
    )
    assert (ledger.state, ledger.currency, ledger.gross) == ("partially_paid", "USD", 50000)


@pytest.mark.parametrize(
    ("currency", "ledger"),
    [
        ("EUR", deal(request(currency="USD"), request(id="r2"))),  # nothing received, asked in the account's
        ("EUR", deal(request(currency="USD"), payment(currency="USD"), request(id="r2"), payment(request_id="r2"))),
        ("USD", deal(request(currency="USD"), request(id="r2", currency="GBP", created_at=NOW))),  # the oldest
        ("GBP", deal(request(currency="USD"), payment(currency="GBP"))),  # settled in what was paid
        (
            "GBP",
            deal(
                request(currency="USD"),
                payment(currency="USD"),
                *(request(id=f"r{n}", currency="GBP", created_at=NOW) for n in (2, 3)),
                *(payment(id=f"pi_{n}", request_id=f"r{n}", currency="GBP") for n in (2, 3)),
            ),
        ),
        ("EUR", deal()),
    ],
)
def test_the_currency_of_the_fields(currency: str, ledger: DealLedger) -> None:
    assert ledger.currency == currency


def test_everything_went_back_only_when_it_did_in_every_currency() -> None:
    stray = payment(700, id="pi_2", currency="USD", request_id=None)
    ledger = deal(request(), payment(refunds=(refund(10000),)), stray)
    assert ledger.state == "partially_refunded"


def test_an_inquiry_leaves_the_deals_state_as_it_is() -> None:
    asked = payment(disputes=(dispute("warning_needs_response"),))
    assert (deal(request(), asked).state, asked.state, asked.disputed) == ("paid", "inquiry", None)
    partly = payment(refunds=(refund(500),), disputes=(dispute("warning_under_review"),))
    assert (deal(request(), partly).state, partly.state) == ("partially_refunded", "inquiry")
    assert payment(disputes=(dispute("warning_closed"),)).state == "paid"


def test_a_running_total_adds_only_what_no_known_refund_tells() -> None:
    assert payment(refunds=(refund(300),), refunded_total=300).refunded == 300
    assert payment(refunds=(refund(300),), refunded_total=500).refunded == 500
    assert payment(refunds=(refund(300, "failed"),), refunded_total=300).refunded == 0


def test_a_lost_dispute_counts_as_money_gone_back() -> None:
    assert deal(request(), payment(disputes=(dispute("lost", 4000),))).refunded == 4000


def test_money_gone_back_twice_is_never_more_than_was_received() -> None:
    both = payment(refunds=(refund(10000),), disputes=(dispute("lost"),))
    assert deal(request(), both).refunded == 10000


def test_a_request_has_ended_when_stripe_let_its_session_go_and_not_before() -> None:
    ledger = deal(request(expires_at=NOW - 50))
    assert (ledger.state, ledger.next_change_at, ledger.requests[0].is_past_end(NOW)) == ("pending", None, True)
    assert deal(request(expires_at=NOW - 50, ended=True)).state == "cancelled"
