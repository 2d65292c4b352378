"""Facts from Checkout Sessions: the requested amount, the outcome, and the payment, subscription and invoice."""

from collections.abc import Iterator

from backend.facts import Fact
from backend.stripe_api.events.metadata import bare_reference, metadata_facts
from backend.stripe_api.events.parsing import (
    EventContext,
    Object,
    amount_of,
    currency_of,
    id_of,
    maybe_id,
    part_of,
    text_of,
)

CHILDREN = (("payment_intent", "payment"), ("subscription", "subscription"), ("invoice", "invoice"))
RANK = 2
"""The rank of a session among the four sources of an amount (see ``backend.facts``)."""


def session_facts(session: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of a Checkout Session from an event or from a call. Raises ``BadEvent``."""
    sid = id_of(session, "id", "cs_")
    yield Fact(sid, "kind", "session")
    for name in ("status", "payment_status", "mode"):
        if text_of(session, name):
            yield Fact(sid, name, text_of(session, name))
    if session.get("amount_total") is not None:
        yield Fact(sid, "asked", [amount_of(session, "amount_total"), currency_of(session)])
    yield from metadata_facts(sid, session, context)
    yield from bare_reference(sid, session)
    yield from _children(sid, session)
    if session.get("status") == "complete":
        yield Fact(sid, "completed_at", context.created)
        if session.get("amount_total") is not None:
            yield Fact(sid, "came_to", [amount_of(session, "amount_total"), currency_of(session)])
            yield Fact(sid, "split", _split(session))
        yield from _payment(session, context)


def failed_session_facts(session: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of a session whose delayed payment failed; it stays complete and unpaid for good."""
    yield from session_facts(session, context)
    yield Fact(id_of(session, "id", "cs_"), "async_failed", context.created)


def _children(sid: str, session: Object) -> Iterator[Fact]:
    for field, kind in CHILDREN:
        child = maybe_id(session, field)
        if child:
            yield Fact(child, "kind", kind)
            yield Fact(child, "session", [sid])
    subscription, invoice = maybe_id(session, "subscription"), maybe_id(session, "invoice")
    if subscription and invoice:
        yield Fact(invoice, "subscription", [subscription])


def _payment(session: Object, context: EventContext) -> Iterator[Fact]:
    payment = maybe_id(session, "payment_intent")
    if not payment:
        return
    if session.get("payment_status") == "paid":
        yield Fact(payment, "received", [RANK, amount_of(session, "amount_total"), currency_of(session)])
        yield Fact(payment, "paid_at", context.created)
    elif session.get("payment_status") == "unpaid":
        yield Fact(payment, "processing", context.created)
    shown = part_of(session, "presentment_details")
    if shown:
        seen = [amount_of(shown, "presentment_amount"), currency_of(shown, "presentment_currency")]
        yield Fact(payment, "presentment", seen)


def _split(session: Object) -> list[int]:
    """Return [subtotal, discount, shipping, tax] in minor units."""
    details = part_of(session, "total_details")
    parts = [(session, "amount_subtotal"), *((details, f"amount_{name}") for name in ("discount", "shipping", "tax"))]
    return [amount_of(row, field) if row.get(field) is not None else 0 for row, field in parts]
