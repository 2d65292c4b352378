"""Invoices, their payments, and subscriptions, in both families of shapes."""

from collections.abc import Iterator

from backend.facts import Fact
from backend.stripe_api.events.metadata import metadata_facts
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

RANK, ROW_RANK = 1, 3
"""Of four sources of an amount: an invoice tells a total, an InvoicePayment its own part."""
WHOLE = "outside"


def invoice_facts(invoice: Object, context: EventContext) -> Iterator[Fact]:
    """From an invoice. In the pinned version its payments are told by InvoicePayment, and here only if expanded."""
    iid = id_of(invoice, "id", "in_")
    yield Fact(iid, "kind", "invoice")
    yield from metadata_facts(iid, invoice, context)
    yield from _subscription(iid, invoice, context)
    if _reason(invoice):
        yield Fact(iid, "billing_reason", _reason(invoice))
    for row in rows_of(invoice, "payments"):
        yield from invoice_payment_facts(row, context)
    if invoice.get("status") == "paid" or invoice.get("paid") is True:
        yield Fact(iid, "paid", True)
        yield Fact(iid, "asked", [amount_of(invoice, "amount_paid"), currency_of(invoice)])
        yield Fact(iid, "paid_at", _paid_at(invoice, context))
        yield from _legacy_payment(iid, invoice, context)


def _reason(invoice: Object) -> str:
    """Why it was made. Before May 2018 Stripe told no period from the next; the first ends when it begins."""
    reason = text_of(invoice, "billing_reason")
    if reason not in ("", "subscription") or not _subscription_of(invoice):
        return reason
    starts, ends = (moment_of(invoice, field, 0.0) for field in ("period_start", "period_end"))
    return "subscription_cycle" if starts < ends else "subscription_create"


def failed_invoice_facts(invoice: Object, context: EventContext) -> Iterator[Fact]:
    """A try to charge it failed; Stripe may try again."""
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
    yield from metadata_facts(subscription, snapshot, context)


def _details(invoice: Object) -> Object:
    """What it says of its subscription, in either family."""
    return part_of(part_of(invoice, "parent"), "subscription_details") or part_of(invoice, "subscription_details")


def _subscription_of(invoice: Object) -> str | None:
    return maybe_id(_details(invoice), "subscription") or maybe_id(invoice, "subscription")


def _own_line(invoice: Object, subscription: str) -> Object:
    """The line that carries the contract's metadata, before 2023-06-29 the only place of them; {} where none does.

    Lines may be items of the same customer, sold for another deal: those speak for themselves only.
    """
    if "parent" in invoice:
        return {}
    own = (row for row in rows_of(invoice, "lines") if text_of(row, "type") == "subscription")
    return next((row for row in own if subscription in (maybe_id(row, "subscription"), maybe_id(row, "id"))), {})


def _legacy_payment(iid: str, invoice: Object, context: EventContext) -> Iterator[Fact]:
    """Before 2025-03-31 an invoice names its payment itself, and says when it was paid outside Stripe.

    ``amount_paid`` is then Stripe's money only, so what came outside is the amount that was due.
    """
    if "paid_out_of_band" not in invoice:
        return
    if invoice["paid_out_of_band"]:
        if amount_of(invoice, "amount_due"):
            amount = amount_of(invoice, "amount_due")
            yield from _outside(iid, amount, currency_of(invoice), _paid_at(invoice, context))
        return
    payment = maybe_id(invoice, "payment_intent") or maybe_id(invoice, "charge")
    amount = amount_of(invoice, "amount_paid")
    if payment and amount:
        yield from _payment(payment, iid, [RANK, amount, currency_of(invoice)], _paid_at(invoice, context))


def whole_invoice_outside(invoice: Object, context: EventContext) -> Iterator[Fact]:
    """From a paid invoice that no payment of Stripe's turned up for: the merchant marked it as paid."""
    amount, currency = amount_of(invoice, "amount_paid"), currency_of(invoice)
    yield from _outside(id_of(invoice, "id", "in_"), amount, currency, _paid_at(invoice, context))


def _outside(iid: str, amount: int, currency: str, at: float, part: str = WHOLE) -> Iterator[Fact]:
    """Money received outside Stripe: a payment known by its invoice, or by the InvoicePayment ``part`` of it."""
    key = f"{iid}:{part}"
    yield Fact(iid, "kind", "invoice")
    yield Fact(key, "outside", True)
    yield from _payment(key, iid, [RANK if part == WHOLE else ROW_RANK, amount, currency], at)


def invoice_payment_facts(row: Object, context: EventContext) -> Iterator[Fact]:
    """From an InvoicePayment: payment, invoice, amount and time together, the clearest signal of all."""
    iid = id_of(row, "invoice", "in_")
    yield Fact(iid, "kind", "invoice")
    if row.get("status") != "paid":
        return
    amount, currency, at = amount_of(row, "amount_paid"), currency_of(row), _paid_at(row, context)
    source = part_of(row, "payment")
    payment = maybe_id(source, "payment_intent") or maybe_id(source, "charge")
    if payment:
        yield from _payment(payment, iid, [ROW_RANK, amount, currency], at)
    elif source.get("type") == "payment_record":
        yield from _outside(iid, amount, currency, at, id_of(row, "id"))
    else:
        raise BadEvent("`payment` names neither a PaymentIntent, a charge nor a payment record")


def _payment(payment: str, iid: str, received: list[int | str], at: float) -> Iterator[Fact]:
    yield Fact(payment, "kind", "payment")
    yield Fact(payment, "invoice", [iid])
    yield Fact(payment, "received", received)
    yield Fact(payment, "paid_at", at)


def needs_invoice_payments(invoice: Object) -> bool:
    """Whether a paid invoice's payments must be asked for: its shape does not name them."""
    told_here = "paid_out_of_band" in invoice or rows_of(invoice, "payments")
    return not told_here and invoice.get("status") == "paid" and amount_of(invoice, "amount_paid") > 0


def subscription_ended_facts(subscription: Object, context: EventContext) -> Iterator[Fact]:
    sid = id_of(subscription, "id", "sub_")
    yield Fact(sid, "kind", "subscription")
    yield Fact(sid, "ended", moment_of(subscription, "ended_at", context.created))
    yield from metadata_facts(sid, subscription, context)


def _paid_at(row: Object, context: EventContext) -> float:
    return moment_of(part_of(row, "status_transitions"), "paid_at", context.created)
