"""PaymentIntents: the money itself."""

from collections.abc import Iterator

from backend.facts import Fact
from backend.stripe_api.events.marks import marks
from backend.stripe_api.events.reading import Object, Told, amount_of, currency_of, id_of, maybe_id, part_of, text_of

RANK = 4
"""Of four sources of an amount: the PaymentIntent knows what was really received."""


def payment_intent_facts(intent: Object, told: Told) -> Iterator[Fact]:
    """From a PaymentIntent, as an event brings it or as Stripe answers it when asked."""
    pid = id_of(intent, "id", "pi_")
    yield Fact(pid, "kind", "payment")
    yield from marks(pid, intent, told)
    invoice = maybe_id(intent, "invoice")  # before 2025-03-31 only
    if invoice:
        yield Fact(invoice, "kind", "invoice")
        yield Fact(pid, "invoice", [invoice])
    if intent.get("status") == "succeeded":
        yield Fact(pid, "received", [RANK, amount_of(intent, "amount_received"), currency_of(intent)])
        yield Fact(pid, "paid_at", told.created)
    elif intent.get("status") == "processing":
        yield Fact(pid, "processing", told.created)
    elif intent.get("status") == "canceled":
        yield Fact(pid, "canceled", True)


def declined_facts(intent: Object, told: Told) -> Iterator[Fact]:
    """The last try was declined. Never final: the payer may try again with the same PaymentIntent."""
    yield from payment_intent_facts(intent, told)
    problem = part_of(intent, "last_payment_error")
    message, *codes = (text_of(problem, field) for field in ("message", "decline_code", "code"))
    code = next((text for text in codes if text), "")
    yield Fact(id_of(intent, "id", "pi_"), "decline", [told.created, message or code or "declined", code])
