"""Somebody else's payments in the same Stripe account: another shop's checkout, a terminal, an invoice."""

from dataclasses import dataclass, field

from sandbox.stripe.lives import checkout, intents, invoicing, sessions
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore

KINDS = ("intent", "session", "payment_link", "subscription", "invoice")


@dataclass(frozen=True)
class Foreign:
    """``kind`` of KINDS: a bare PaymentIntent, another server's session, a Payment Link's session (whose reference the
    payer may have edited), another server's subscription, or a dashboard invoice."""

    kind: str = "intent"
    amount: int = 2500
    currency: str = "eur"
    metadata: dict[str, str] = field(default_factory=dict)
    client_reference_id: str | None = None


def happen(shelf: ObjectStore, foreign: Foreign) -> Obj:
    """It is paid at once; returns the PaymentIntent, the session or the invoice."""
    if foreign.kind == "intent":
        return _intent(shelf, foreign)
    if foreign.kind == "invoice":
        sent = invoicing.send(shelf, amount=foreign.amount, currency=foreign.currency, metadata=foreign.metadata)
        invoicing.pay(shelf, sent)
        return sent
    if foreign.kind in KINDS:
        return _session(shelf, foreign)
    raise Refusal(f"kind is one of {', '.join(KINDS)}", param="kind")


def _intent(shelf: ObjectStore, foreign: Foreign) -> Obj:
    intent = intents.new_intent(
        shelf, amount=foreign.amount, currency=foreign.currency, metadata=dict(foreign.metadata)
    )
    shelf.emit("payment_intent.created", intent)
    charge = intents.succeed(shelf, intent, email=None)
    shelf.emit("charge.succeeded", charge)
    shelf.emit("payment_intent.succeeded", intent)
    intents.book(shelf, charge)
    return intent


def _session(shelf: ObjectStore, foreign: Foreign) -> Obj:
    recurs = foreign.kind == "subscription"
    price: Obj = {"currency": foreign.currency, "unit_amount": foreign.amount, "product_data": {"name": "Shoes"}}
    if recurs:
        price["recurring"] = {"interval": "month"}
    params = {
        "mode": "subscription" if recurs else "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": "https://other.example/thanks",
        "metadata": foreign.metadata,
        "subscription_data" if recurs else "payment_intent_data": {"metadata": foreign.metadata},
    }
    if foreign.client_reference_id is not None:
        params["client_reference_id"] = foreign.client_reference_id
    link = shelf.ground.new_id("plink_1") if foreign.kind == "payment_link" else None
    return checkout.pay(shelf, sessions.create(shelf, params, payment_link=link), checkout.Payer())
