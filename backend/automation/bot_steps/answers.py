"""Answers to a bot, decided in values: an exit, and data for its later blocks as ``{{json.…}}``."""

from collections.abc import Iterable

from backend.automation.rules.outcomes import Outcome
from backend.core.money import Money
from backend.ledger.deal import DealLedger, Request

NOTHING_TO_PAY = ("nothing_open", "paid", "under_way", "closed")
READY, NOTHING, FAILED = "ready", "nothing_to_pay", "failed"
PAID, UNDER_WAY, OPEN, OVERDUE = "paid", "under_way", "open", "overdue"
Answer = dict[str, str]


def link_ready(money: Money, link: str) -> Answer:
    """Return the answer of *Payment link* with a link to send: exit "ready", status "pending", and the link's address.

    ``amount`` is text in major units, next to ``currency``.
    """
    return _answer(READY, "pending", [money]) | {"link": link}


def no_link(outcome: Outcome, reason: str) -> Answer:
    """Return the answer of *Payment link* without a link; amount, currency and link are ''.

    Exit "nothing_to_pay" if nothing is to be paid, "failed" if there is an obstacle. ``status``: the outcome's word;
    ``reason``: as given.
    """
    there = NOTHING if outcome.word in NOTHING_TO_PAY else FAILED
    return _answer(there, outcome.word, []) | {"reason": reason}


def payment_state(ledger: DealLedger, link_base: str) -> Answer:
    """Return the answer of *Is it paid?*: ``exit`` is paid, under way, open or overdue.

    Refunded, disputed or cancelled is not paid; ``status`` has the deal's state. ``amount`` (major units) and
    ``currency`` are what is still payable, ``link`` the open request's page; '' without one.
    """
    request = ledger.open_request
    link = f"{link_base}/p/{request.link_token}" if request else ""
    payable = [Money(one.payable, one.currency) for one in ledger.open_sums if one.payable]
    return _answer(_exit(ledger, payable), ledger.state, payable) | {"link": link}


def _exit(ledger: DealLedger, payable: list[Money]) -> str:
    if ledger.is_under_way:
        return UNDER_WAY
    if ledger.state == "paid" and not payable:
        return PAID
    return OVERDUE if any(_is_over(ledger, one) for one in ledger.requests) else OPEN


def _is_over(ledger: DealLedger, request: Request) -> bool:
    """Return whether its link ended or its due date has passed."""
    state = ledger.request_state(request)
    is_late = request.overdue_at is not None and request.overdue_at <= ledger.now
    return state == "expired" or (is_late and state in ("pending", "failed"))


def _answer(exit_name: str, status: str, sums: Iterable[Money]) -> Answer:
    """Values are texts, as in every example of Kommo's."""
    amount, currency = next((one.as_text for one in sums), ("", ""))
    return {"exit": exit_name, "status": status, "amount": amount, "currency": currency, "link": ""}
