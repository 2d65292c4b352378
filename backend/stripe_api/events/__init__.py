"""Extract facts about money from Stripe's events. ``HANDLERS`` lists every event type that we react to.

A handler is a small generator over ``data.object``. It reads both families of shapes, those of the pinned version and
those before 2025-03-31, and distinguishes them by their fields, because an endpoint created by hand may have any
version. Sources: docs.stripe.com/api/events/types, docs/facts/stripe.md C11.
"""

from collections.abc import Mapping
from typing import Any

from backend.facts import Fact
from backend.stripe_api.events.intents import declined_facts, method_facts, payment_intent_facts
from backend.stripe_api.events.invoices import (
    failed_invoice_facts,
    invoice_facts,
    invoice_payment_facts,
    rest_outside_facts,
    subscription_ended_facts,
)
from backend.stripe_api.events.parsing import (
    BadEvent,
    EventContext,
    Handler,
    Object,
    clean,
    moment_of,
    part_of,
    text_of,
)
from backend.stripe_api.events.refunds_and_disputes import charge_refunded_facts, dispute_facts, refund_facts
from backend.stripe_api.events.sessions import failed_session_facts, session_facts

__all__ = [
    "HANDLERS", "BadEvent", "EventContext", "clean", "facts_of", "invoice_payment_facts",
    "method_facts", "payment_intent_facts", "refund_facts", "rest_outside_facts", "session_facts",
]  # fmt: skip

HANDLERS: Mapping[str, Handler] = {
    # a Checkout Session was completed, paid later, failed, or expired
    "checkout.session.completed": session_facts,
    "checkout.session.async_payment_succeeded": session_facts,
    "checkout.session.async_payment_failed": failed_session_facts,
    "checkout.session.expired": session_facts,
    # the money itself
    "payment_intent.succeeded": payment_intent_facts,
    "payment_intent.processing": payment_intent_facts,
    "payment_intent.payment_failed": declined_facts,
    "payment_intent.canceled": payment_intent_facts,
    # invoices and subscriptions; invoice.created is left alone: a failing answer to it delays the merchant's invoices
    "invoice.finalized": invoice_facts,  # this one and the next three name the deal before the invoice is paid in full
    "invoice.sent": invoice_facts,
    "invoice.voided": invoice_facts,
    "invoice.marked_uncollectible": invoice_facts,
    "invoice.paid": invoice_facts,
    "invoice.payment_failed": failed_invoice_facts,
    "invoice_payment.paid": invoice_payment_facts,
    "customer.subscription.deleted": subscription_ended_facts,
    # money that goes back
    "refund.created": refund_facts,
    "refund.updated": refund_facts,
    "refund.failed": refund_facts,
    "charge.refund.updated": refund_facts,  # before 2024-10-28 the only event about the end of a card refund
    "charge.refunded": charge_refunded_facts,
    "charge.dispute.created": dispute_facts,
    "charge.dispute.updated": dispute_facts,
    "charge.dispute.closed": dispute_facts,
    "charge.dispute.funds_withdrawn": dispute_facts,
    "charge.dispute.funds_reinstated": dispute_facts,
}


def facts_of(event: Mapping[str, Any], account_id: int) -> list[Fact]:
    """Return all facts of an event, none for a type that we do not react to. Raises
    ``BadEvent`` for an unusable body."""
    kind = event.get("type")
    handler = HANDLERS.get(kind) if isinstance(kind, str) else None
    if handler is None:
        return []
    version, previous = text_of(event, "api_version"), part_of(part_of(event, "data"), "previous_attributes")
    context = EventContext(moment_of(event, "created"), account_id, version, previous)
    return list(handler(_object(event), context))


def _object(event: Mapping[str, Any]) -> Object:
    found = part_of(part_of(event, "data"), "object")
    if not found:
        raise BadEvent("the event has no object")
    return found
