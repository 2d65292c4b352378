"""What the payer does on the Checkout page, and what Stripe makes of it (docs/facts/stripe.md C2 to C5)."""

from dataclasses import dataclass

from sandbox.stripe.lives import intents, invoices, sessions
from sandbox.stripe.lives.completion import complete
from sandbox.stripe.objects import defaults
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore

OUTCOMES = ("paid", "declined", "delayed")


@dataclass(frozen=True)
class Payer:
    """Who pays and how: ``outcome`` of OUTCOMES; ``discount`` and ``tax`` in minor units change the total;
    ``presentment`` is ``(amount, currency)`` that the payer saw, where prices were shown in the payer's own money."""

    outcome: str = "paid"
    email: str | None = None
    discount: int = 0
    tax: int = 0
    presentment: tuple[int, str] | None = None
    decline_code: str = "insufficient_funds"


def pay(shelf: ObjectStore, session: Obj, payer: Payer) -> Obj:
    """The payer confirms; returns the session. A declined card leaves it open, a delayed method complete but unpaid."""
    if session["status"] != "open":
        raise Refusal(f"This Checkout Session is {session['status']}.", param="session")
    if payer.outcome not in OUTCOMES:
        raise Refusal(f"outcome is one of {', '.join(OUTCOMES)}", param="outcome")
    _adjust(session, payer)
    if session["amount_total"] == 0:
        return _complete_for_nothing(shelf, session, payer)
    intent = _intent(shelf, session, *_charged(shelf, session, payer))
    if payer.outcome == "declined":
        intents.decline(shelf, intent, email=_email(shelf, session, payer), code=payer.decline_code)
        return session
    complete(shelf, session, intent, email=_email(shelf, session, payer), presentment=payer.presentment)
    if payer.outcome == "delayed":
        _begin_delayed(shelf, session, payer, intent)
    else:
        _finish_paid(shelf, session, payer, intent)
    return session


def finish_delayed(shelf: ObjectStore, intent: Obj, outcome: str) -> Obj:
    """Days later the delayed payment is ``paid`` or ``failed``; returns the PaymentIntent."""
    if intent["status"] != "processing":
        raise Refusal(f"This PaymentIntent is {intent['status']}, not processing.", param="intent")
    session = next(shelf.newest("checkout.session", **_link(shelf, intent)), None)
    if outcome == "failed":
        intents.fail_processing(shelf, intent)
        if session is not None:
            shelf.emit("checkout.session.async_payment_failed", session)
        return intent
    charge = intents.succeed(shelf, intent, email=None)
    shelf.emit("charge.succeeded", charge)
    shelf.emit("payment_intent.succeeded", intent)
    if session is not None:
        session["payment_status"] = "paid"
        shelf.emit("checkout.session.async_payment_succeeded", session)
    _pay_invoice(shelf, intent)
    intents.book(shelf, charge)
    return intent


def fail_overdue(shelf: ObjectStore) -> None:
    """In one reading, a delayed payment that outlives its session's time comes back unpaid."""
    if shelf.ground.switches["delayed_at_expiry"] == "stays":
        return
    for session in list(shelf.newest("checkout.session", status="complete", payment_status="unpaid")):
        intent = shelf.find("payment_intent", session["payment_intent"] or "")
        if intent is not None and intent["status"] == "processing" and session["expires_at"] <= shelf.ground.now:
            finish_delayed(shelf, intent, "failed")


def _link(shelf: ObjectStore, intent: Obj) -> Obj:
    part = next(shelf.payments_of(intent=intent["id"]), None)
    return {"invoice": part["invoice"]} if part else {"payment_intent": intent["id"]}


def _email(shelf: ObjectStore, session: Obj, payer: Payer) -> str | None:
    customer = shelf.find("customer", session["customer"] or "")
    return payer.email or session["customer_email"] or (customer["email"] if customer else None)


def _adjust(session: Obj, payer: Payer) -> None:
    discount = min(payer.discount, session["amount_subtotal"])
    tax = payer.tax + defaults.tax_on(session)
    session["amount_total"] = session["amount_subtotal"] - discount + tax
    session["total_details"] = {"amount_discount": discount, "amount_shipping": 0, "amount_tax": tax}


def _charged(shelf: ObjectStore, session: Obj, payer: Payer) -> tuple[int, str]:
    """What is taken: our amount in our currency, but for one reading of adaptive pricing on subscriptions."""
    payers_own = shelf.ground.switches["subscription_presentment"] == "payers"
    if payers_own and payer.presentment is not None and session["mode"] == "subscription":
        return payer.presentment
    return session["amount_total"], session["currency"]


def _intent(shelf: ObjectStore, session: Obj, amount: int, currency: str) -> Obj:
    """The PaymentIntent of this try: the one of a declined try before, or a new one."""
    earlier = shelf.find("payment_intent", session["payment_intent"] or "")
    if earlier is not None and shelf.ground.switches["declined_try"] == "same":
        earlier["amount"] = amount
        return earlier
    data = shelf.asked[session["id"]].get("payment_intent_data", {})
    copied = {name: data[name] for name in ("description", "receipt_email", "statement_descriptor") if name in data}
    intent = intents.new_intent(
        shelf,
        amount=amount,
        currency=currency,
        customer=session["customer"],
        metadata=dict(data.get("metadata", {})),
        **copied,
    )
    if session["mode"] == "payment":
        session["payment_intent"] = intent["id"]
    shelf.emit("payment_intent.created", intent)
    return intent


def _begin_delayed(shelf: ObjectStore, session: Obj, payer: Payer, intent: Obj) -> None:
    intents.process(
        shelf,
        intent,
        method=sessions.delayed_method(session) or "customer_balance",
        email=_email(shelf, session, payer),
    )
    _announce_billing(shelf, session)
    shelf.emit("checkout.session.completed", _at_completed(shelf, session))


def _finish_paid(shelf: ObjectStore, session: Obj, payer: Payer, intent: Obj) -> None:
    charge = intents.succeed(shelf, intent, email=_email(shelf, session, payer))
    session["payment_status"] = "paid"
    invoice_first = shelf.ground.switches["invoice_events"] == "before_session"

    def payment() -> None:
        shelf.emit("charge.succeeded", charge)
        shelf.emit("payment_intent.succeeded", intent)

    def completed() -> None:
        _announce_billing(shelf, session)
        if invoice_first:
            _pay_invoice(shelf, intent)
        shelf.emit("checkout.session.completed", _at_completed(shelf, session))

    first, second = (
        (completed, payment) if shelf.ground.switches["event_order"] == "session_first" else (payment, completed)
    )
    first()
    second()
    if not invoice_first:
        _pay_invoice(shelf, intent)
    intents.book(shelf, charge)


def _at_completed(shelf: ObjectStore, session: Obj) -> Obj:
    if session["mode"] == "payment" and shelf.ground.switches["session_invoice_at_completed"] == "null":
        return session | {"invoice": None}
    return session


def _announce_billing(shelf: ObjectStore, session: Obj) -> None:
    if session["subscription"] is not None:
        shelf.emit("customer.subscription.created", shelf.get("subscription", session["subscription"]))
    if session["invoice"] is not None:
        invoices.announce(shelf, shelf.get("invoice", session["invoice"]))


def _pay_invoice(shelf: ObjectStore, intent: Obj) -> None:
    part = next(shelf.payments_of(intent=intent["id"]), None)
    if part is not None:
        invoice = shelf.get("invoice", part["invoice"])
        invoices.pay_part(shelf, invoice, part)
        invoices.announce_paid(shelf, invoice, part)


def _complete_for_nothing(shelf: ObjectStore, session: Obj, payer: Payer) -> Obj:
    """A trial or a full discount: no PaymentIntent; where there is an invoice, it is one of 0.00."""
    complete(shelf, session, None, email=_email(shelf, session, payer), presentment=payer.presentment)
    in_payment_mode = session["mode"] == "payment"
    session["payment_status"] = shelf.ground.switches["zero_total_status"] if in_payment_mode else "paid"
    _announce_billing(shelf, session)
    shelf.emit("checkout.session.completed", session)
    if session["invoice"] is not None:
        invoice = shelf.get("invoice", session["invoice"])
        invoices.close(shelf, invoice)
        invoices.announce_paid(shelf, invoice)
    return session
