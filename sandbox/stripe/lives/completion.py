"""What a Checkout Session leaves behind when its payer has confirmed: a customer, a subscription, an invoice."""

from typing import Any

from sandbox.stripe.lives import invoices, subscriptions
from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import ObjectStore


def complete(
    shelf: ObjectStore, session: Obj, intent: Obj | None, *, email: str | None, presentment: tuple[int, str] | None
) -> None:
    """The session is complete: customer, subscription and invoice exist, though no event tells of them yet."""
    session |= {"status": "complete", "url": None}
    shelf.paying.discard(session["id"])
    session["customer_details"] = _details(email)
    if presentment is not None:
        amount, currency = presentment
        session["presentment_details"] = {"presentment_amount": amount, "presentment_currency": currency}
    wants_invoice = (session["invoice_creation"] or {}).get("enabled", False)
    if session["mode"] == "subscription" or wants_invoice or session["customer_creation"] == "always":
        session["customer"] = session["customer"] or new_customer(shelf, email=email)["id"]
    if intent is not None:
        intent["customer"] = session["customer"]
    if session["mode"] == "subscription":
        _subscribe(shelf, session, intent)
    elif wants_invoice:
        _invoice(shelf, session, intent)


def _details(email: str | None) -> Obj:
    unsaid = dict.fromkeys("address business_name individual_name name phone tax_ids".split())
    return unsaid | {"email": email, "tax_exempt": "none"}


def new_customer(shelf: ObjectStore, **fields: Any) -> Obj:
    basis = {
        "id": shelf.ground.new_id("cus_", 14),
        "object": "customer",
        "balance": 0,
        "created": shelf.ground.now,
        "delinquent": False,
        "invoice_prefix": shelf.ground.new_id("", 8).upper(),
        "invoice_settings": dict.fromkeys(("custom_fields", "default_payment_method", "footer", "rendering_options")),
        "livemode": shelf.livemode,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    }
    return shelf.add(blank("customer") | basis | fields)


def _subscribe(shelf: ObjectStore, session: Obj, intent: Obj | None) -> None:
    subscription = subscriptions.start(shelf, session, session["customer"])
    once = [_once(shelf, each) for each in shelf.lines[session["id"]] if each["price"]["type"] == "one_time"]
    invoice = subscriptions.invoice_for(shelf, subscription, "subscription_create", once + _corrections(shelf, session))
    session |= {"subscription": subscription["id"], "invoice": invoice["id"]}
    if intent is not None:
        if intent["currency"] != invoice["currency"]:
            invoices.restate(invoice, intent["amount"], intent["currency"])
        invoices.by_intent(shelf, invoice, intent)


def _invoice(shelf: ObjectStore, session: Obj, intent: Obj | None) -> None:
    lines = [_once(shelf, each) for each in shelf.lines[session["id"]]] + _corrections(shelf, session)
    invoice = invoices.new_invoice(
        shelf,
        lines=lines,
        currency=session["currency"],
        billing_reason="manual",
        customer=session["customer"],
        metadata=dict(session["invoice_creation"]["invoice_data"]["metadata"]),
    )
    session["invoice"] = invoice["id"]
    if intent is not None:
        invoices.by_intent(shelf, invoice, intent)


def _once(shelf: ObjectStore, line: Obj) -> Obj:
    return invoices.line(shelf, amount=line["amount_total"], currency=line["currency"], description=line["description"])


def _corrections(shelf: ObjectStore, session: Obj) -> list[Obj]:
    """Discount and tax as one line, so that the invoice asks for what the session took."""
    change = session["amount_total"] - session["amount_subtotal"]
    name = "Discount and tax"
    return [invoices.line(shelf, amount=change, currency=session["currency"], description=name)] if change else []
