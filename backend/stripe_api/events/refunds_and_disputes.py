"""Money that goes back: refunds and disputes. Their deal is their payment's, since metadata is not inherited."""

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


def refund_facts(refund: Object, context: EventContext) -> Iterator[Fact]:
    """From a Refund, as an event brings it or as Stripe answers it."""
    rid = id_of(refund, "id")
    yield Fact(rid, "kind", "refund")
    yield Fact(rid, "refund_status", text_of(refund, "status") or "pending")
    yield Fact(rid, "asked", [amount_of(refund, "amount"), currency_of(refund)])
    yield Fact(rid, "at", moment_of(refund, "created", context.created))
    yield from _of_payment(rid, refund)


def charge_refunded_facts(charge: Object, context: EventContext) -> Iterator[Fact]:
    """A Charge with its running total of refunds; the refunds themselves come by their own events."""
    payment = maybe_id(charge, "payment_intent") or id_of(charge, "id")
    yield Fact(payment, "kind", "payment")
    yield Fact(payment, "refunded_total", [amount_of(charge, "amount_refunded"), currency_of(charge)])
    yield from metadata_facts(payment, charge, context)
    invoice = maybe_id(charge, "invoice")
    if invoice:
        yield Fact(invoice, "kind", "invoice")
        yield Fact(payment, "invoice", [invoice])
    for refund in rows_of(charge, "refunds"):  # before 2022-11-15 they came along
        yield from refund_facts(refund, context)


def dispute_facts(dispute: Object, context: EventContext) -> Iterator[Fact]:
    """From a Dispute. An appeal is a fact of its own, shown, never a state: who appeals has lost so far."""
    did = id_of(dispute, "id")
    status = text_of(dispute, "status") or "needs_response"
    yield Fact(did, "kind", "dispute")
    if status.startswith("appeal"):
        yield Fact(did, "appeal", status)
    yield Fact(did, "dispute_status", "lost" if status.startswith("appeal") else status)
    yield Fact(did, "asked", [amount_of(dispute, "amount"), currency_of(dispute)])
    yield Fact(did, "reason", text_of(dispute, "reason") or "general")
    yield Fact(did, "at", moment_of(dispute, "created", context.created))
    evidence = part_of(dispute, "evidence_details")
    if evidence.get("due_by") is not None:
        yield Fact(did, "due_by", moment_of(evidence, "due_by"))
    yield from _of_payment(did, dispute)


def _of_payment(subject: str, row: Object) -> Iterator[Fact]:
    payment = maybe_id(row, "payment_intent") or maybe_id(row, "charge")
    if not payment:
        raise BadEvent("it names neither a PaymentIntent nor a charge")
    yield Fact(payment, "kind", "payment")
    yield Fact(subject, "payment", [payment])
