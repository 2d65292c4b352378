"""One line that answers *why is this deal not paid?*, with the next step."""

from datetime import timedelta

from backend.clock import as_datetime
from backend.ledger.deal import DealLedger, Request
from backend.money import Money

BANK_DAYS = 7
"""A bank debit is usually known to be good after so many days."""

BY_STATE = {
    "disputed": "A payment is disputed. Answer in Stripe's dashboard before the date named there.",
    "refunded": "Everything that was paid went back to the client.",
    "partially_refunded": "A part of what was paid went back to the client.",
    "paid": "Everything that was asked for is paid.",
}
BY_REQUEST = {
    "expired": "The link expired. Create a new payment and send its link.",
    "cancelled": "The payment was cancelled. Create a new one if the client still owes it.",
    "replaced": "The link was replaced by a newer one.",
    "failed": "The payment failed. The client can try again with the same link; ask for another way to pay.",
}


def explain(ledger: DealLedger) -> str:
    if ledger.state in BY_STATE:
        return BY_STATE[ledger.state]
    if not ledger.requests and not ledger.payments:
        return "No payment was asked for yet. Create one and send its link."
    begun = f"{Money(ledger.outstanding, ledger.currency)} is still open. " if ledger.gross else ""
    return begun + _why(ledger)


def _why(ledger: DealLedger) -> str:
    open_ones = [r for r in ledger.requests if ledger.request_state(r) in ("pending", "processing", "failed")]
    newest = max(open_ones, key=lambda request: request.created_at, default=None)
    if newest is not None:
        return _why_open(ledger, newest)
    unpaid = [r for r in ledger.requests if ledger.request_state(r) in BY_REQUEST]
    if unpaid:
        return BY_REQUEST[ledger.request_state(unpaid[-1])]
    return "Ask for the rest with a new payment." if ledger.gross else "A payment is under way."


def _why_open(ledger: DealLedger, request: Request) -> str:
    state = ledger.request_state(request)
    if state == "processing":
        began = max((s.completed_at for s in request.sessions if s.completed_at), default=ledger.now)
        until = as_datetime(began) + timedelta(days=BANK_DAYS)
        return f"The client's bank payment is under way, usually until about {until:%Y-%m-%d}. There is nothing to do."
    declined = [p.decline for p in ledger.payments_of(request) if p.decline and not p.received]
    if declined:
        reason = max(declined)[1].rstrip(".")
        return f"The last try was declined: {reason}. The client can try again with the same link, or another card."
    if state == "failed" or any(session.async_failed for session in request.sessions):
        return BY_REQUEST["failed"]
    if not request.opened:
        return "The client has not opened the link yet. Send it, or remind the client."
    return "The client opened the link and has not paid. The link stays valid: remind the client."
