"""Stripe's events as its documents show them, cut to what is read; ``evt`` wraps an object of any kind."""

from typing import Any

ACCOUNT, LEAD, REQUEST = 7, 4711, "0d6b1c9e-8a34-4a52-9d1c-5f5f5b1f0001"
T0 = 1_800_000_000
MARKS = {"kommo_account_id": str(ACCOUNT), "kommo_lead_id": str(LEAD), "kommo_request_id": REQUEST}

Obj = dict[str, Any]


def evt(kind: str, obj: Obj, created: int = T0) -> Obj:
    return {"id": f"evt_{kind}_{obj.get('id')}_{created}", "object": "event", "type": kind, "created": created,
            "livemode": True, "data": {"object": obj}}  # fmt: skip


def session(**given: Any) -> Obj:
    return {
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "status": "complete", "payment_status": "paid",
        "client_reference_id": str(LEAD), "metadata": MARKS, "payment_intent": "pi_1", "subscription": None,
        "invoice": None, "amount_total": 10000, "amount_subtotal": 10000, "currency": "eur", "payment_link": None,
    } | given  # fmt: skip


def intent(**given: Any) -> Obj:
    return {
        "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 10000, "amount_received": 10000,
        "currency": "eur", "metadata": MARKS,
    } | given  # fmt: skip


def invoice(**given: Any) -> Obj:
    """Pinned shape: the payment is not named."""
    return {
        "id": "in_1", "object": "invoice", "status": "paid", "amount_paid": 10000, "currency": "eur", "metadata": {},
        "parent": {"type": "subscription_details",
                   "subscription_details": {"subscription": "sub_1", "metadata": MARKS}},
        "status_transitions": {"paid_at": T0}, "billing_reason": "subscription_cycle",
    } | given  # fmt: skip


def invoice_payment(**given: Any) -> Obj:
    return {
        "id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "status": "paid", "amount_paid": 10000,
        "currency": "eur", "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
        "status_transitions": {"paid_at": T0},
    } | given  # fmt: skip


def refund(rid: str, amount: int, status: str = "succeeded") -> Obj:
    return {"id": rid, "object": "refund", "amount": amount, "currency": "eur", "status": status, "created": T0 + 50,
            "payment_intent": "pi_1", "charge": "ch_1"}  # fmt: skip


def dispute(status: str, *moves: int, **given: Any) -> Obj:
    """``moves``: what its balance transactions took (negative) or gave back."""
    booked = [{"id": f"txn_{n}", "amount": amount, "currency": "eur"} for n, amount in enumerate(moves)]
    return {"id": "du_1", "object": "dispute", "amount": 10000, "currency": "eur", "status": status,
            "reason": "fraudulent", "created": T0 + 60, "payment_intent": "pi_1", "charge": "ch_1",
            "balance_transactions": booked, "evidence_details": {"due_by": T0 + 9_000_000}} | given  # fmt: skip


LIFE = (
    evt("checkout.session.completed", session(invoice="in_1")),
    evt("payment_intent.succeeded", intent(), T0 + 1),
    evt("invoice.paid", invoice(parent=None, metadata=MARKS, paid_out_of_band=False, payment_intent="pi_1"), T0 + 2),
    evt("refund.created", refund("re_1", 1000), T0 + 50),
    evt("refund.created", refund("re_2", 2000), T0 + 51),
    evt("charge.dispute.created", dispute("needs_response"), T0 + 60),
    evt("charge.dispute.closed", dispute("won"), T0 + 70),
)
"""One payment's life: completed, succeeded, invoice paid, two partial refunds, a dispute opened and won."""
