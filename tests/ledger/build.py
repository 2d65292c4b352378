"""Deals as a test describes them: only what the fact depends on is named."""

from typing import Any

from backend.ledger.deal import DealLedger, Dispute, Payment, Refund, Request, SessionState

NOW = 1_800_000_000.0
DAY = 24 * 3600.0


def session(status: str = "open", payment_status: str = "unpaid", **given: Any) -> SessionState:
    known: dict[str, Any] = {"id": "cs_1", "asked": None, "split": None, "async_failed": None, "completed_at": None}
    return SessionState(status=status, payment_status=payment_status, **(known | given))


def request(amount: int = 10000, **given: Any) -> Request:
    known: dict[str, Any] = {
        "id": "r1", "currency": "EUR", "description": "Sofa", "mode": "payment", "kind": "full", "deal_total": None,
        "created_at": NOW - DAY, "created_by": 7, "expires_at": None, "cancelled": False, "replaced_by": None,
        "opened": False, "link_token": "abcdefghijklmnop", "stage_seen": None, "sessions": (),
    }  # fmt: skip
    return Request(amount=amount, **(known | given))


def payment(amount: int = 10000, **given: Any) -> Payment:
    known: dict[str, Any] = {
        "id": "pi_1", "currency": "EUR", "paid_at": NOW - 60, "processing": False, "canceled": False,
        "outside": False, "request_id": "r1", "subscription": None, "invoice": None, "livemode": True, "split": None,
        "presentment": None, "decline": None, "refunded_total": 0, "refunds": (), "disputes": (),
    }  # fmt: skip
    return Payment(amount=amount, **(known | given))


def refund(amount: int, status: str = "succeeded", rid: str = "re_1") -> Refund:
    return Refund(rid, amount, "EUR", status, NOW - 30)


def dispute(status: str, amount: int = 10000, did: str = "du_1") -> Dispute:
    return Dispute(did, amount, "EUR", status, "fraudulent", NOW - 30, None, None)


def deal(*parts: Request | Payment, **given: Any) -> DealLedger:
    known: dict[str, Any] = {"account_currency": "EUR", "livemode": True, "ended_subscriptions": (), "now": NOW}
    return DealLedger(
        requests=tuple(part for part in parts if isinstance(part, Request)),
        payments=tuple(part for part in parts if isinstance(part, Payment)),
        **(known | given),
    )
