"""Money that goes back: refunds and disputes. Their deal is their payment's, since metadata is not inherited."""

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
"""Since this API version each refund has events of its own; before, one by card is told by its charge's total."""


def refund_facts(refund: Object, context: EventContext) -> Iterator[Fact]:
    """From a Refund, as an event brings it or as Stripe answers it.

    One of a customer's cash balance names no payment, and is nobody's here.
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
    """A Charge with its running total of refunds; the refunds themselves come by their own events.

    Stripe counts what was held and not captured as refunded; here it is not.
    """
    payment = maybe_id(charge, "payment_intent") or id_of(charge, "id")
    yield Fact(payment, "kind", "payment")
    released = _released(charge)
    total = max(0, amount_of(charge, "amount_refunded") - released)
    yield Fact(payment, "refunded_total", [total, currency_of(charge)])
    yield Fact(payment, "totals", [[context.created, total]])
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
    for refund in rows_of(charge, "refunds"):  # before 2022-11-15 they came along
        yield from refund_facts({**within, **refund}, context)


def _released(charge: Object) -> int:
    """What was held and not captured; versions of before captures in part tell no ``amount_captured``."""
    held, captured = maybe_amount(charge, "amount"), maybe_amount(charge, "amount_captured")
    return 0 if held is None or captured is None else max(0, held - captured)


def dispute_facts(dispute: Object, context: EventContext) -> Iterator[Fact]:
    """From a Dispute. An appeal is a fact of its own, shown, never a state: who appeals has lost so far."""
    did = maybe_id(dispute, "id") or f"{id_of(dispute, 'charge')}:dispute"  # those of before 2015 have no id
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
    """Where the dispute stands, placed in its own history: decided once is not decided for ever.

    Each decision moves money, so the longer list of movements is the later word; else what is decided is later than
    what is not, then Stripe's clock decides, and within one second the order of the states.
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
    """What it took from the balance, where Stripe shows that whole and not as an id."""
    for move in moves:
        taken = taken_from_balance(move) if isinstance(move, Mapping) else None
        if taken is not None:
            yield Fact(subject, "booked", taken)


def _moves(dispute: Object) -> list[Any]:
    """Its balance transactions: money withdrawn, given back, withdrawn again."""
    moves = dispute.get("balance_transactions") or []
    if not isinstance(moves, list):
        raise BadEvent("`balance_transactions` is no list")
    return moves


def _of_payment(subject: str, row: Object) -> Iterator[Fact]:
    payment = maybe_id(row, "payment_intent") or maybe_id(row, "charge")
    if not payment:
        raise BadEvent("it names neither a PaymentIntent nor a charge")
    yield Fact(payment, "kind", "payment")
    yield Fact(subject, "payment", [payment])
