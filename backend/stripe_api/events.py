"""What each event says about money: event → facts. ``HANDLERS`` is the list of all that we react to.

A handler is a small generator over ``data.object``. It reads both families of shapes, the pinned version's and those
before 2025-03-31, told apart by the fields that are there, since an endpoint made by hand may have any version.
Sources: docs.stripe.com/api/events/types, and the fact sheet's table C11.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.facts import Fact

Object = Mapping[str, Any]
Handler = Callable[[Object, "Told"], Iterator[Fact]]

MAX_AMOUNT = 2**53
RANK = {"payment_intent": 4, "invoice_payment": 3, "session": 2, "invoice": 1}
"""Which source of an amount is believed: the PaymentIntent knows what was really received."""


class BadEvent(Exception):
    """The event's body lies or lacks something that we need; the text names it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says beside its object. ``account_id`` is ours, by the endpoint that it came to."""

    created: float
    account_id: int


def facts_of(event: Mapping[str, Any], account_id: int) -> list[Fact]:
    """All that ``event`` says; empty for types that we do not react to. Raises ``BadEvent``."""
    handler = HANDLERS.get(event["type"])
    if handler is None:
        return []
    created = event.get("created")
    if not isinstance(created, int):
        raise BadEvent("the event has no `created` time")
    return list(handler(event["data"]["object"], Told(created, account_id)))


def session_facts(session: Object, told: Told) -> Iterator[Fact]:
    """From a Checkout Session, as an event brings it or as Stripe answers it when asked."""
    sid = _id(session, "id", "cs_")
    yield Fact(sid, "kind", "session")
    for name in ("status", "payment_status", "mode"):
        if isinstance(session.get(name), str):
            yield Fact(sid, name, session[name])
    if isinstance(session.get("amount_total"), int):
        yield Fact(sid, "asked", [_amount(session, "amount_total"), _currency(session)])
        yield Fact(sid, "split", _split(session))
    yield from _marks(sid, session.get("metadata"), told)
    yield from _bare_reference(sid, session)
    yield from _session_children(sid, session)
    if session.get("status") == "complete":
        yield Fact(sid, "completed_at", told.created)
        yield from _session_payment(session, told)


def _session_children(sid: str, session: Object) -> Iterator[Fact]:
    for field, kind in (("payment_intent", "payment"), ("subscription", "subscription"), ("invoice", "invoice")):
        child = _maybe_id(session, field)
        if child:
            yield Fact(child, "kind", kind)
            yield Fact(child, "session", [sid])
    subscription, invoice = _maybe_id(session, "subscription"), _maybe_id(session, "invoice")
    if subscription and invoice:
        yield Fact(invoice, "subscription", [subscription])


def _session_payment(session: Object, told: Told) -> Iterator[Fact]:
    payment = _maybe_id(session, "payment_intent")
    if not payment:
        return
    if session.get("payment_status") == "paid":
        yield Fact(payment, "received", [RANK["session"], _amount(session, "amount_total"), _currency(session)])
        yield Fact(payment, "paid_at", told.created)
    elif session.get("payment_status") == "unpaid":
        yield Fact(payment, "processing", True)
    shown = session.get("presentment_details")
    if isinstance(shown, Mapping) and isinstance(shown.get("presentment_amount"), int):
        yield Fact(payment, "presentment", [shown["presentment_amount"], str(shown["presentment_currency"]).upper()])


def _async_failed(session: Object, told: Told) -> Iterator[Fact]:
    yield from session_facts(session, told)
    yield Fact(_id(session, "id", "cs_"), "async_failed", told.created)


def payment_intent_facts(intent: Object, told: Told) -> Iterator[Fact]:
    """From a PaymentIntent, as an event brings it or as Stripe answers it when asked."""
    pid = _id(intent, "id", "pi_")
    yield Fact(pid, "kind", "payment")
    yield from _marks(pid, intent.get("metadata"), told)
    invoice = _maybe_id(intent, "invoice")  # before 2025-03-31 only
    if invoice:
        yield Fact(invoice, "kind", "invoice")
        yield Fact(pid, "invoice", [invoice])
    if intent.get("status") == "succeeded":
        yield Fact(pid, "received", [RANK["payment_intent"], _amount(intent, "amount_received"), _currency(intent)])
        yield Fact(pid, "paid_at", told.created)
    elif intent.get("status") == "processing":
        yield Fact(pid, "processing", True)
    elif intent.get("status") == "canceled":
        yield Fact(pid, "canceled", True)


def _declined(intent: Object, told: Told) -> Iterator[Fact]:
    yield from payment_intent_facts(intent, told)
    problem = intent.get("last_payment_error") or {}
    reason = problem.get("message") or problem.get("decline_code") or problem.get("code") or "declined"
    yield Fact(_id(intent, "id", "pi_"), "decline", [told.created, clean(str(reason))])


def invoice_facts(invoice: Object, told: Told) -> Iterator[Fact]:
    """From an invoice. In the pinned version its payments are told by InvoicePayment, not here."""
    iid = _id(invoice, "id", "in_")
    yield Fact(iid, "kind", "invoice")
    yield from _marks(iid, invoice.get("metadata"), told)
    yield from _invoice_subscription(iid, invoice, told)
    if isinstance(invoice.get("billing_reason"), str):
        yield Fact(iid, "billing_reason", invoice["billing_reason"])
    if invoice.get("status") == "paid" or invoice.get("paid") is True:
        yield Fact(iid, "paid", True)
        yield Fact(iid, "asked", [_amount(invoice, "amount_paid"), _currency(invoice)])
        yield Fact(iid, "paid_at", _paid_at(invoice, told))
        yield from _legacy_invoice_payment(iid, invoice, told)


def _invoice_subscription(iid: str, invoice: Object, told: Told) -> Iterator[Fact]:
    parent = invoice.get("parent") or {}
    details = parent.get("subscription_details") if isinstance(parent, Mapping) else None
    details = details or invoice.get("subscription_details") or {}
    subscription = _maybe_id(details, "subscription") or _maybe_id(invoice, "subscription")
    if not subscription:
        return
    yield Fact(subscription, "kind", "subscription")
    yield Fact(iid, "subscription", [subscription])
    yield from _marks(subscription, details.get("metadata"), told)
    for line in _rows(invoice, "lines"):
        yield from _marks(subscription, line.get("metadata"), told)


def _legacy_invoice_payment(iid: str, invoice: Object, told: Told) -> Iterator[Fact]:
    """Before 2025-03-31 an invoice names its payment itself, and says when it was paid outside Stripe."""
    amount = _amount(invoice, "amount_paid")
    if "paid_out_of_band" not in invoice or not amount:
        return
    if invoice["paid_out_of_band"]:
        yield from outside_payment(iid, amount, _currency(invoice), _paid_at(invoice, told))
        return
    payment = _maybe_id(invoice, "payment_intent") or _maybe_id(invoice, "charge")
    if payment:
        yield Fact(payment, "kind", "payment")
        yield Fact(payment, "invoice", [iid])
        yield Fact(payment, "received", [RANK["invoice"], amount, _currency(invoice)])
        yield Fact(payment, "paid_at", _paid_at(invoice, told))


def outside_payment(invoice_id: str, amount: int, currency: str, at: float) -> Iterator[Fact]:
    """Money that a merchant marked as received outside Stripe: a payment known by its invoice."""
    key = f"{invoice_id}:outside"
    yield Fact(invoice_id, "kind", "invoice")
    yield Fact(key, "kind", "payment")
    yield Fact(key, "invoice", [invoice_id])
    yield Fact(key, "outside", True)
    yield Fact(key, "received", [RANK["invoice"], amount, currency])
    yield Fact(key, "paid_at", at)


def invoice_payment_facts(row: Object, told: Told) -> Iterator[Fact]:
    """From an InvoicePayment: payment, invoice, amount and time together, the clearest signal of all."""
    invoice = _id(row, "invoice", "in_")
    yield Fact(invoice, "kind", "invoice")
    if row.get("status") != "paid":
        return
    amount, currency, at = _amount(row, "amount_paid"), _currency(row), _paid_at(row, told)
    source = row.get("payment") or {}
    payment = _maybe_id(source, "payment_intent") or _maybe_id(source, "charge")
    if not payment:
        yield from outside_payment(invoice, amount, currency, at)
        return
    yield Fact(payment, "kind", "payment")
    yield Fact(payment, "invoice", [invoice])
    yield Fact(payment, "received", [RANK["invoice_payment"], amount, currency])
    yield Fact(payment, "paid_at", at)


def _invoice_failed(invoice: Object, told: Told) -> Iterator[Fact]:
    yield from invoice_facts(invoice, told)
    yield Fact(_id(invoice, "id", "in_"), "failed_at", told.created)


def refund_facts(refund: Object, told: Told) -> Iterator[Fact]:
    """From a Refund. Its deal is its payment's: metadata is not inherited."""
    rid = _id(refund, "id", "")
    yield Fact(rid, "kind", "refund")
    yield Fact(rid, "refund_status", refund.get("status") or "pending")
    yield Fact(rid, "asked", [_amount(refund, "amount"), _currency(refund)])
    yield Fact(rid, "at", refund["created"] if isinstance(refund.get("created"), int) else told.created)
    yield from _of_payment(rid, refund)


def _charge_refunded(charge: Object, told: Told) -> Iterator[Fact]:
    """A Charge with its running total of refunds; the refunds themselves come by their own events."""
    payment = _maybe_id(charge, "payment_intent") or _id(charge, "id", "")
    yield Fact(payment, "kind", "payment")
    yield Fact(payment, "refunded_total", [_amount(charge, "amount_refunded"), _currency(charge)])
    yield from _marks(payment, charge.get("metadata"), told)
    invoice = _maybe_id(charge, "invoice")
    if invoice:
        yield Fact(invoice, "kind", "invoice")
        yield Fact(payment, "invoice", [invoice])
    for refund in _rows(charge, "refunds"):
        yield from refund_facts(refund, told)


def dispute_facts(dispute: Object, told: Told) -> Iterator[Fact]:
    """From a Dispute. An appeal is a fact of its own, shown, never a state."""
    did = _id(dispute, "id", "")
    status = str(dispute.get("status") or "needs_response")
    yield Fact(did, "kind", "dispute")
    if status.startswith("appeal"):
        yield Fact(did, "appeal", status)
    else:
        yield Fact(did, "dispute_status", status)
    yield Fact(did, "asked", [_amount(dispute, "amount"), _currency(dispute)])
    yield Fact(did, "reason", clean(str(dispute.get("reason") or "general")))
    yield Fact(did, "at", dispute["created"] if isinstance(dispute.get("created"), int) else told.created)
    due = (dispute.get("evidence_details") or {}).get("due_by")
    if isinstance(due, int):
        yield Fact(did, "due_by", due)
    yield from _of_payment(did, dispute)


def _subscription_ended(subscription: Object, told: Told) -> Iterator[Fact]:
    sid = _id(subscription, "id", "sub_")
    yield Fact(sid, "kind", "subscription")
    ended = subscription.get("ended_at")
    yield Fact(sid, "ended", ended if isinstance(ended, int) else told.created)
    yield from _marks(sid, subscription.get("metadata"), told)


HANDLERS: Mapping[str, Handler] = {
    # a Checkout Session ended well, later, badly, or by time
    "checkout.session.completed": session_facts,
    "checkout.session.async_payment_succeeded": session_facts,
    "checkout.session.async_payment_failed": _async_failed,
    "checkout.session.expired": session_facts,
    # the money itself
    "payment_intent.succeeded": payment_intent_facts,
    "payment_intent.processing": payment_intent_facts,
    "payment_intent.payment_failed": _declined,
    "payment_intent.canceled": payment_intent_facts,
    # invoices and subscriptions; invoice.created is left alone: a failing answer to it delays the merchant's invoices
    "invoice.paid": invoice_facts,
    "invoice.payment_failed": _invoice_failed,
    "invoice_payment.paid": invoice_payment_facts,
    "customer.subscription.deleted": _subscription_ended,
    # money that goes back
    "refund.created": refund_facts,
    "refund.updated": refund_facts,
    "refund.failed": refund_facts,
    "charge.refunded": _charge_refunded,
    "charge.dispute.created": dispute_facts,
    "charge.dispute.updated": dispute_facts,
    "charge.dispute.closed": dispute_facts,
    "charge.dispute.funds_withdrawn": dispute_facts,
    "charge.dispute.funds_reinstated": dispute_facts,
}


def needs_invoice_payments(event: Mapping[str, Any]) -> str | None:
    """The invoice whose payments must be asked for: paid, in a shape that does not name its payment."""
    invoice = event["data"]["object"]
    if event["type"] != "invoice.paid" or "paid_out_of_band" in invoice or not invoice.get("amount_paid"):
        return None
    return _id(invoice, "id", "in_")


def clean(text: str) -> str:
    """Text from outside, cut to a line and rid of what no database or page takes: NUL and lone surrogates."""
    kept = "".join(char for char in text if char.isprintable() and not "\ud800" <= char <= "\udfff")
    return kept[:500]


def _marks(subject: str, metadata: Any, told: Told) -> Iterator[Fact]:
    """Our marks in metadata, or those that other software left in the same words (then without an account id)."""
    if not isinstance(metadata, Mapping):
        return
    account, lead = metadata.get("kommo_account_id"), metadata.get("kommo_lead_id")
    if account and str(account) != str(told.account_id):
        yield Fact(subject, "foreign", True)
        return
    if lead or account:
        yield Fact(subject, "lead", [0 if account else 1, _lead_id(lead)])
    request = metadata.get("kommo_request_id")
    if account and isinstance(request, str) and request:
        yield Fact(subject, "request", clean(request)[:64])


def _bare_reference(sid: str, session: Object) -> Iterator[Fact]:
    """A payer can edit the reference of a Payment Link, so only a session made by a server counts."""
    lead = _lead_id(session.get("client_reference_id"))
    if lead and not session.get("payment_link"):
        yield Fact(sid, "bare_lead", lead)


def _lead_id(value: Any) -> int:
    """A Kommo lead id, or 0 where the text is none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _of_payment(subject: str, row: Object) -> Iterator[Fact]:
    payment = _maybe_id(row, "payment_intent") or _maybe_id(row, "charge")
    if not payment:
        raise BadEvent("it names neither a PaymentIntent nor a charge")
    yield Fact(payment, "kind", "payment")
    yield Fact(subject, "payment", [payment])


def _paid_at(row: Object, told: Told) -> float:
    moment = (row.get("status_transitions") or {}).get("paid_at")
    return moment if isinstance(moment, int) else told.created


def _split(session: Object) -> list[int]:
    details = session.get("total_details") or {}
    parts = [session.get("amount_subtotal"), *(details.get(f"amount_{n}") for n in ("discount", "shipping", "tax"))]
    return [part if isinstance(part, int) else 0 for part in parts]


def _rows(row: Object, field: str) -> list[Object]:
    rows = (row.get(field) or {}).get("data") if isinstance(row.get(field), Mapping) else None
    return [one for one in rows or [] if isinstance(one, Mapping)]


def _amount(row: Object, field: str) -> int:
    value = row.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_AMOUNT:
        raise BadEvent(f"`{field}` is no amount in minor units")
    return value


def _currency(row: Object) -> str:
    value = row.get("currency")
    if not isinstance(value, str) or len(value) != 3 or not value.isascii() or not value.isalpha():
        raise BadEvent("`currency` is no three-letter code")
    return value.upper()


def _id(row: Object, field: str, prefix: str) -> str:
    value = _maybe_id(row, field)
    if not value or not value.startswith(prefix):
        raise BadEvent(f"`{field}` is no Stripe id" + (f" beginning with {prefix}" if prefix else ""))
    return value


def _maybe_id(row: Object, field: str) -> str | None:
    """An id, whether Stripe gives it bare or as the expanded object."""
    value = row.get(field)
    value = value.get("id") if isinstance(value, Mapping) else value
    return value if isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable() else None
