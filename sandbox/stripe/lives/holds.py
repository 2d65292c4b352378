"""Money held by other software (``capture_method`` manual), then captured whole or in part, or let go (facts C8)."""

from sandbox.stripe.lives import intents, refunds
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore


def hold(shelf: ObjectStore, *, amount: int, currency: str, metadata: Obj) -> Obj:
    """A PaymentIntent whose money is held and not taken yet."""
    intent = intents.new_intent(
        shelf, amount=amount, currency=currency, metadata=dict(metadata), capture_method="manual"
    )
    charge = intents.new_charge(shelf, intent, method="card", email=None, status="succeeded")
    charge |= {"captured": False, "amount_captured": 0}
    intent |= {"status": "requires_capture", "amount_capturable": amount}
    shelf.emit("charge.succeeded", charge)
    shelf.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def capture(shelf: ObjectStore, intent: Obj, amount: int | None = None) -> Obj:
    """Take ``amount`` of what is held, or all of it; the rest goes back to the payer at once."""
    charge = _held(shelf, intent)
    taken = charge["amount"] if amount is None else amount
    if not 0 < taken <= charge["amount"]:
        raise Refusal("The amount to capture is more than what is held.", param="amount_to_capture")
    charge |= {"captured": True, "amount_captured": taken}
    intent |= {"status": "succeeded", "amount_received": taken, "amount_capturable": 0}
    if taken < charge["amount"]:
        refunds.let_go(shelf, charge, charge["amount"] - taken)
    shelf.emit("charge.captured", charge)
    shelf.emit("payment_intent.succeeded", intent)
    intents.book(shelf, charge)
    return intent


def release(shelf: ObjectStore, intent: Obj) -> Obj:
    """Let all of it go: the PaymentIntent is cancelled, and its charge looks refunded."""
    charge = _held(shelf, intent)
    intent |= {"status": "canceled", "amount_capturable": 0}
    refunds.let_go(shelf, charge, charge["amount"])
    shelf.emit("payment_intent.canceled", intent)
    return intent


def _held(shelf: ObjectStore, intent: Obj) -> Obj:
    if intent["status"] != "requires_capture":
        raise Refusal(f"This PaymentIntent is {intent['status']}.", param="payment_intent")
    return shelf.get("charge", intent["latest_charge"])
