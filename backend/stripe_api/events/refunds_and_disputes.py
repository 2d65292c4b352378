"""Facts from refunds and disputes. Their deal is that of their payment, because they inherit no metadata."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backend.facts import DISPUTE_STATUS, Fact
from backend.stripe_api.events.metadata import metadata_facts
from backend.stripe_api.events.parsing import (
    BadEvent,
    EventContext,
    Object,
    amount_of,
    currency_of,
    id_of,
    maybe_amount,
    maybe_id,
    moment_of,
    part_of,
    rows_of,
    taken_from_balance,
    text_of,
)

BY_OBJECT = "2024-10-28"
"""The API version since which each refund has its own events; before, only the charge's total reports a card refund."""


def refund_facts(refund: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of a Refund from an event or from a call. Raises ``BadEvent``.

    A refund of a customer's cash balance names no payment, so it belongs to no deal (docs/facts/stripe.md C8).
    """
    rid = maybe_id(refund, "id") or f"{id_of(refund, 'charge')}:refund:{_made_at(refund, context)}"
    yield Fact(rid, "kind", "refund")
    yield Fact(rid, "refund_status", text_of(refund, "status") or "pending")
    if refund.get("status") in ("failed", "canceled"):
        yield Fact(rid, "undone_at", context.created)
    yield Fact(rid, "asked", [amount_of(refund, "amount"), currency_of(refund)])
    yield Fact(rid, "at", moment_of(refund, "created", context.created))
    yield from _booked(rid, [refund.get("balance_transaction")])
    if maybe_id(refund, "payment_intent") or maybe_id(refund, "charge"):
        yield from _of_payment(rid, refund)


def _made_at(row: Object, context: EventContext) -> int:
    return int(moment_of(row, "created", context.created))


def charge_refunded_facts(charge: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of a Charge with its running total of refunds; the refunds themselves have their own events.

    Stripe counts an uncaptured amount as refunded; here it is subtracted
    (docs/facts/stripe.md C8). Raises ``BadEvent``.
    """
    payment = maybe_id(charge, "payment_intent") or id_of(charge, "id")
    yield Fact(payment, "kind", "payment")
    released = _released(charge)
    total = max(0, amount_of(charge, "amount_refunded") - released)
    yield Fact(payment, "refunded_total", [total, currency_of(charge)])
    before = maybe_amount(context.previous, "amount_refunded")
    named = [] if before is None else [max(0, before - released)]
    yield Fact(payment, "totals", [[context.created, total, *named]])
    if "" < context.version < BY_OBJECT:
        yield Fact(payment, "by_total", True)
    if released:
        yield Fact(payment, "released", [released, currency_of(charge)])
    yield from metadata_facts(payment, charge, context)
    invoice = maybe_id(charge, "invoice")
    if invoice:
        yield Fact(invoice, "kind", "invoice")
        yield Fact(payment, "invoice", [invoice])
    within = {"charge": maybe_id(charge, "id"), "payment_intent": maybe_id(charge, "payment_intent")}
    for refund in rows_of(charge, "refunds"):  # included before 2022-11-15
        yield from refund_facts({**within, **refund}, context)


def _released(charge: Object) -> int:
    """Return the amount that was held but not captured. Versions before partial captures
    have no ``amount_captured``."""
    held, captured = maybe_amount(charge, "amount"), maybe_amount(charge, "amount_captured")
    return 0 if held is None or captured is None else max(0, held - captured)


def dispute_facts(dispute: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of a Dispute. Raises ``BadEvent``.

    An appeal is a fact for display, never a state: until it is decided, the dispute is lost.
    """
    did = maybe_id(dispute, "id") or f"{id_of(dispute, 'charge')}:dispute"  # disputes before 2015 have no id
    status = text_of(dispute, "status") or "needs_response"
    yield Fact(did, "kind", "dispute")
    if status.startswith("appeal"):
        yield Fact(did, "appeal", status)
    yield from _turn(did, dispute, "lost" if status.startswith("appeal") else status, context)
    yield Fact(did, "asked", [amount_of(dispute, "amount"), currency_of(dispute)])
    yield Fact(did, "reason", text_of(dispute, "reason") or "general")
    yield Fact(did, "at", moment_of(dispute, "created", context.created))
    evidence = part_of(dispute, "evidence_details")
    if evidence.get("due_by") is not None:
        yield Fact(did, "due_by", moment_of(evidence, "due_by"))
    method = text_of(part_of(dispute, "payment_method_details"), "type")
    if method:
        yield Fact(did, "method", method)
    yield from _of_payment(did, dispute)


def _turn(did: str, dispute: Object, status: str, context: EventContext) -> Iterator[Fact]:
    """Yield the dispute's status with its place in the dispute's history, because a decision
    may be reversed (decision 0014).

    Each decision moves money, so the status with more movements is the later one. Then a decided status is later than
    an undecided one, then Stripe's clock decides, and within one second the order of the statuses.
    """
    moves = _moves(dispute)
    place = DISPUTE_STATUS.index(status) if status in DISPUTE_STATUS else -1
    decided = status in ("won", "lost")
    yield Fact(did, "turn", [len(moves), decided, context.created, place, status])
    if decided:
        yield Fact(did, "verdicts", [[len(moves), context.created, status]])
    if status.startswith("warning"):
        yield Fact(did, "inquiry", True)
    yield from _booked(did, moves)


def _booked(subject: str, moves: Iterable[Any]) -> Iterator[Fact]:
    """Yield the amount withdrawn from the balance, if Stripe includes the transaction and not only its id."""
    for move in moves:
        taken = taken_from_balance(move) if isinstance(move, Mapping) else None
        if taken is not None:
            yield Fact(subject, "booked", taken)


def _moves(dispute: Object) -> list[Any]:
    """Return the dispute's balance transactions: money withdrawn, given back, withdrawn again."""
    moves = dispute.get("balance_transactions") or []
    if not isinstance(moves, list):
        raise BadEvent("`balance_transactions` is not a list")
    return moves


def _of_payment(subject: str, row: Object) -> Iterator[Fact]:
    payment = maybe_id(row, "payment_intent") or maybe_id(row, "charge")
    if not payment:
        raise BadEvent("it names neither a PaymentIntent nor a charge")
    yield Fact(payment, "kind", "payment")
    yield Fact(subject, "payment", [payment])
