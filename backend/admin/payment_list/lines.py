"""A deal's ledger as lines of the list. Pure values."""

from collections.abc import Iterator
from typing import Any

from backend.ledger.deal import DealLedger, Payment, Request

UNPAID = {"replaced": "cancelled"}
"""A newer link cancels an older one."""
LONGEST_DESCRIPTION = 500


def lines_of(ledger: DealLedger, lead_id: int) -> Iterator[dict[str, Any]]:
    """Yield the columns of each ``PaymentLine`` of the deal by name, except the account and the connection.

    Payments that were received come first, then the requests that they do not settle.
    """
    for payment in ledger.received_anywhere:
        yield _payment(ledger, payment, lead_id)
    for request in ledger.requests:
        if not ledger.is_settled(request):
            yield _request(ledger, request, lead_id)


def _payment(ledger: DealLedger, payment: Payment, lead_id: int) -> dict[str, Any]:
    request = ledger.request_for(payment)
    ids = [payment.id, payment.invoice, payment.subscription]
    ids += [one.id for one in payment.refunds] + [one.id for one in payment.disputes]
    return {
        "lead_id": lead_id,
        "id": payment.id,
        "is_payment": True,
        "livemode": ledger.livemode,
        "at": payment.paid_at,
        "currency": payment.currency,
        "amount": payment.amount,
        "gone": payment.gone,
        "state": payment.state,
        "what": _what(request) if request else "subscription" if payment.subscription else "other",
        "overdue_at": None,
    } | _about(request, ids, lead_id)


def _request(ledger: DealLedger, request: Request, lead_id: int) -> dict[str, Any]:
    state = ledger.request_state(request)
    return {
        "lead_id": lead_id,
        "id": request.id,
        "is_payment": False,
        "livemode": ledger.livemode,
        "at": request.created_at,
        "currency": request.currency,
        "amount": request.amount,
        "gone": 0,
        "state": UNPAID.get(state, state),
        "what": _what(request),
        "overdue_at": request.overdue_at,
    } | _about(request, [one.id for one in request.sessions], lead_id)


def _what(request: Request) -> str:
    if request.mode == "subscription":
        return "subscription"
    return "single" if request.kind == "full" else request.kind


def _about(request: Request | None, ids: list[str | None], lead_id: int) -> dict[str, Any]:
    description = request.description[:LONGEST_DESCRIPTION] if request else ""
    named = [request.id, request.link_token, *(one.id for one in request.sessions)] if request else []
    words = [description, str(lead_id), *dict.fromkeys(one for one in (*ids, *named) if one)]
    return {
        "description": description,
        "request_id": request.id if request else None,
        "contact_id": request.contact_id if request else None,
        "user_id": request.created_by if request else 0,
        "words": " ".join(words).lower(),
    }
