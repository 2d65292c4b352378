"""PaymentIntents and their charges: made, declined, under way, paid."""

from typing import Any

from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import ObjectStore

NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def new_intent(shelf: ObjectStore, *, amount: int, currency: str, **fields: Any) -> Obj:
    """A PaymentIntent that waits for a payment method."""
    id = shelf.ground.new_id("pi_3")
    basis = {
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "amount_details": {},
        "capture_method": "automatic_async",
        "client_secret": shelf.ground.new_id(f"{id}_secret_"),
        "confirmation_method": "automatic",
        "created": shelf.ground.now,
        "currency": currency,
        "livemode": shelf.livemode,
        "metadata": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }
    return shelf.add(blank("payment_intent") | basis | fields)


def new_charge(shelf: ObjectStore, intent: Obj, *, method: str, email: str | None, status: str) -> Obj:
    """One try to take the money; the PaymentIntent's metadata is copied now and never again."""
    paid = status == "succeeded"
    basis = {
        "id": shelf.ground.new_id("ch_3" if method == "card" else "py_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "billing_details": {"address": dict(NO_ADDRESS), "email": email, "name": None, "phone": None, "tax_id": None},
        "captured": paid,
        "created": shelf.ground.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": shelf.livemode,
        "metadata": dict(intent["metadata"]),
        "paid": status != "failed",
        "payment_intent": intent["id"],
        "payment_method": shelf.ground.new_id("pm_1"),
        "payment_method_details": _method_details(method),
        "receipt_email": intent["receipt_email"],
        "receipt_url": f"{shelf.ground.base_url}/c/receipt/{intent['id']}" if status != "failed" else None,
        "refunded": False,
        "status": status,
    }
    charge = shelf.add(blank("charge") | basis)
    intent["latest_charge"] = charge["id"]
    return charge


def _method_details(method: str) -> Obj:
    if method != "card":
        return {"type": method, method: {"last4": "3000"}}
    card = {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034, "funding": "credit", "last4": "4242"}
    unknown = dict.fromkeys(
        "checks extended_authorization fingerprint installments mandate network three_d_secure wallet".split()
    )
    return {"type": "card", "card": unknown | card}


def decline(shelf: ObjectStore, intent: Obj, *, email: str | None, code: str = "insufficient_funds") -> None:
    """A try that failed: the PaymentIntent waits for another payment method."""
    charge = new_charge(shelf, intent, method="card", email=email, status="failed")
    sentence = "Your card has insufficient funds." if code == "insufficient_funds" else "Your card was declined."
    charge |= {"failure_code": "card_declined", "failure_message": sentence}
    intent |= {"status": "requires_payment_method", "payment_method": None}
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": code,
        "message": sentence,
        "type": "card_error",
    }
    shelf.emit("charge.failed", charge)
    shelf.emit("payment_intent.payment_failed", intent)


def process(shelf: ObjectStore, intent: Obj, *, method: str, email: str | None) -> None:
    """A delayed method was accepted; the money is days away."""
    charge = new_charge(shelf, intent, method=method, email=email, status="pending")
    intent |= {"status": "processing", "payment_method": charge["payment_method"], "payment_method_types": [method]}
    intent["last_payment_error"] = None
    shelf.emit("payment_intent.processing", intent)
    shelf.emit("charge.pending", charge)


def succeed(shelf: ObjectStore, intent: Obj, *, method: str = "card", email: str | None) -> Obj:
    """The money is there: returns the charge. Only objects change; the caller emits in the order of its flow."""
    charge = shelf.find("charge", intent["latest_charge"] or "")
    if charge is None or charge["status"] != "pending":
        charge = new_charge(shelf, intent, method=method, email=email, status="succeeded")
    charge |= {"status": "succeeded", "captured": True, "amount_captured": intent["amount"], "paid": True}
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
    intent["payment_method"] = charge["payment_method"]
    return charge


def fail_processing(shelf: ObjectStore, intent: Obj) -> None:
    """A delayed payment came back unpaid."""
    charge = shelf.get("charge", intent["latest_charge"])
    charge |= {"status": "failed", "paid": False, "failure_code": "debit_not_authorized", "receipt_url": None}
    charge["failure_message"] = "The bank refused the debit."
    intent |= {"status": "requires_payment_method", "payment_method": None}
    error = {
        "charge": charge["id"],
        "code": "payment_intent_payment_attempt_failed",
        "message": charge["failure_message"],
    }
    intent["last_payment_error"] = error | {"type": "invalid_request_error"}
    shelf.emit("charge.failed", charge)
    shelf.emit("payment_intent.payment_failed", intent)


def book(shelf: ObjectStore, charge: Obj) -> None:
    """What reaches the bank is known a moment after the charge (docs/facts/stripe.md E)."""
    fee = charge["amount"] * 29 // 1000 + 30
    entry = {
        "id": shelf.ground.new_id("txn_3"),
        "object": "balance_transaction",
        "amount": charge["amount"],
        "available_on": shelf.ground.now + 2 * 86400,
        "created": shelf.ground.now,
        "currency": charge["currency"],
        "fee": fee,
        "fee_details": [],
        "net": charge["amount"] - fee,
        "reporting_category": "charge",
        "source": charge["id"],
        "status": "pending",
        "type": "charge",
        "balance_type": "payments",
    }
    charge["balance_transaction"] = shelf.add(blank("balance_transaction") | entry)["id"]
    shelf.emit("charge.updated", charge, {"balance_transaction": None})
