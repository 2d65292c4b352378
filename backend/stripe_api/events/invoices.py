"""Facts from invoices, their payments and subscriptions, in both families of shapes."""

from collections.abc import Iterator

from backend.facts import WHOLE_INVOICE_RANK, Fact, outside_id
from backend.stripe_api.events.metadata import contract_facts, metadata_facts
from backend.stripe_api.events.parsing import (
    BadEvent,
    EventContext,
    Object,
    amount_of,
    currency_of,
    id_of,
    maybe_id,
    moment_of,
    part_of,
    rows_of,
    text_of,
)

RANK, ROW_RANK = WHOLE_INVOICE_RANK, 3
"""Ranks among the four sources of an amount: an invoice has a total, an InvoicePayment its own share."""


def invoice_facts(invoice: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of an invoice. Raises ``BadEvent``.

    In the pinned version its payments come by InvoicePayment, and here only if expanded (docs/facts/stripe.md C1).
    """
    iid = id_of(invoice, "id", "in_")
    yield Fact(iid, "kind", "invoice")
    yield from metadata_facts(iid, invoice, context)
    yield from _subscription(iid, invoice, context)
    if _reason(invoice):
        yield Fact(iid, "billing_reason", _reason(invoice))
    for row in rows_of(invoice, "payments"):
        yield from invoice_payment_facts(row, context)
    if invoice.get("status") in ("void", "uncollectible"):
        yield Fact(iid, "written_off", True)
    if invoice.get("status") == "paid" or invoice.get("paid") is True:
        yield Fact(iid, "paid", True)
        yield Fact(iid, "asked", [amount_of(invoice, "amount_paid"), currency_of(invoice)])
        yield Fact(iid, "paid_at", _paid_at(invoice, context))
        yield from _legacy_payment(iid, invoice, context)
    elif invoice.get("amount_paid"):  # paid in part: the invoice is open or was written off
        yield Fact(iid, "asked", [amount_of(invoice, "amount_paid"), currency_of(invoice)])


def _reason(invoice: Object) -> str:
    """Return the invoice's ``billing_reason``. Before May 2018 Stripe did not mark first
    periods: those have no length."""
    reason = text_of(invoice, "billing_reason")
    if reason not in ("", "subscription") or not _subscription_of(invoice):
        return reason
    starts, ends = (moment_of(invoice, field, 0.0) for field in ("period_start", "period_end"))
    return "subscription_cycle" if starts < ends else "subscription_create"


def failed_invoice_facts(invoice: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of an invoice whose charge failed; Stripe may try again."""
    yield from invoice_facts(invoice, context)
    iid = id_of(invoice, "id", "in_")
    yield Fact(iid, "failed_at", context.created)
    yield Fact(iid, "due", [amount_of(invoice, "amount_due"), currency_of(invoice)])


def _subscription(iid: str, invoice: Object, context: EventContext) -> Iterator[Fact]:
    details, subscription = _details(invoice), _subscription_of(invoice)
    if not subscription:
        return
    yield Fact(subscription, "kind", "subscription")
    yield Fact(iid, "subscription", [subscription])
    snapshot = details if details.get("metadata") is not None else _own_line(invoice, subscription)
    yield from contract_facts(subscription, snapshot, moment_of(invoice, "created", context.created), context, iid)


def _details(invoice: Object) -> Object:
    """Return the invoice's details of its subscription, in either family of shapes."""
    return part_of(part_of(invoice, "parent"), "subscription_details") or part_of(invoice, "subscription_details")


def _subscription_of(invoice: Object) -> str | None:
    return maybe_id(_details(invoice), "subscription") or maybe_id(invoice, "subscription")


def _own_line(invoice: Object, subscription: str) -> Object:
    """Return the line with the subscription's metadata, or {}. Before 2023-06-29 no other place had it.

    Other lines may be items of the same customer for another deal: their metadata is not the subscription's.
    """
    if "parent" in invoice:
        return {}
    own = (row for row in rows_of(invoice, "lines") if text_of(row, "type") == "subscription")
    return next((row for row in own if subscription in (maybe_id(row, "subscription"), maybe_id(row, "id"))), {})


def _legacy_payment(iid: str, invoice: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the payment of an invoice before 2025-03-31: the invoice itself names it, or says
    that it was paid outside Stripe.

    ``amount_paid`` is then Stripe's money only, so the amount that was paid outside is the amount due.
    """
    if "paid_out_of_band" not in invoice:
        return
    if invoice["paid_out_of_band"]:
        if amount_of(invoice, "amount_due"):
            total = (amount_of(invoice, "amount_due"), currency_of(invoice))
            yield from rest_outside_facts(iid, total, _paid_at(invoice, context))
        return
    payment = maybe_id(invoice, "payment_intent") or maybe_id(invoice, "charge")
    amount = amount_of(invoice, "amount_paid")
    if payment and amount:
        yield from _payment(payment, iid, [RANK, amount, currency_of(invoice)], _paid_at(invoice, context))


def rest_outside_facts(iid: str, total: tuple[int, str], at: float) -> Iterator[Fact]:
    """Yield a payment outside Stripe for the part of a paid invoice that no payment in Stripe explains.

    ``total``: (minor units, currency) of the whole invoice; the ledger subtracts the known
    payments. ``at``: epoch seconds.
    """
    yield Fact(outside_id(iid), "outside", True)
    yield from _payment(outside_id(iid), iid, [RANK, *total], at)


def invoice_payment_facts(row: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of an InvoicePayment: payment, invoice, amount and time together, the clearest signal of all.

    Raises ``BadEvent``.
    """
    iid = id_of(row, "invoice", "in_")
    yield Fact(iid, "kind", "invoice")
    if row.get("status") != "paid":
        return
    part: list[int | str] = [ROW_RANK, amount_of(row, "amount_paid"), currency_of(row)]
    at = _paid_at(row, context)
    source = part_of(row, "payment")
    payment = maybe_id(source, "payment_intent") or maybe_id(source, "charge")
    if not payment and source.get("type") == "payment_record":
        payment = f"{iid}:{id_of(row, 'id')}"
        yield Fact(payment, "outside", True)
    if not payment:
        raise BadEvent("`payment` names neither a PaymentIntent, a charge nor a payment record")
    yield from _payment(payment, iid, part, at)
    yield Fact(iid, "parts", {payment: part})


def _payment(payment: str, iid: str, received: list[int | str], at: float) -> Iterator[Fact]:
    yield Fact(iid, "kind", "invoice")
    yield Fact(payment, "kind", "payment")
    yield Fact(payment, "invoice", [iid])
    yield Fact(payment, "received", received)
    yield Fact(payment, "paid_at", at)


def subscription_ended_facts(subscription: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the end of a subscription, in epoch seconds, and its marks. Raises ``BadEvent``."""
    sid = id_of(subscription, "id", "sub_")
    yield Fact(sid, "kind", "subscription")
    yield Fact(sid, "ended", moment_of(subscription, "ended_at", context.created))
    yield from contract_facts(sid, subscription, context.created, context)


def _paid_at(row: Object, context: EventContext) -> float:
    return moment_of(part_of(row, "status_transitions"), "paid_at", context.created)
