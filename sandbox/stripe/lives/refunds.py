"""Refunds: asked for by API or in the dashboard, finished at once or days later (docs/facts/stripe.md C8)."""

from sandbox.stripe.lives import disputes
from sandbox.stripe.objects.refusals import Refusal, required
from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import ObjectStore
from sandbox.stripe.prices import currencies

OUTCOMES = ("succeeded", "pending", "failed")


def refund(shelf: ObjectStore, params: Obj, outcome: str = "succeeded") -> Obj:
    """A refund of ``payment_intent`` or ``charge``, whole or ``amount``; ``failed`` succeeds first and then returns."""
    if outcome not in OUTCOMES:
        raise Refusal(f"outcome is one of {', '.join(OUTCOMES)}", param="outcome")
    charge = _charge(shelf, params)
    amount = _amount(charge, params.get("amount"))
    made = shelf.add(_object(shelf, charge, amount, params) | {"status": _first_status(charge, outcome)})
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    shelf.emit("refund.created", made)
    shelf.emit("charge.refunded", charge, {"amount_refunded": charge["amount_refunded"] - amount})
    if outcome == "failed":
        finish(shelf, made, "failed")
    if charge["refunded"]:
        disputes.end_inquiries(shelf, charge)
    return made


def let_go(shelf: ObjectStore, charge: Obj, amount: int) -> None:
    """What was held and not captured: Stripe counts it as refunded, with a refund object of its own or without."""
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    if shelf.ground.switches["capture_release"] == "refund_object":
        shelf.emit("refund.created", shelf.add(_object(shelf, charge, amount, {}) | {"status": "succeeded"}))
    shelf.emit("charge.refunded", charge, {"amount_refunded": charge["amount_refunded"] - amount})


def _first_status(charge: Obj, outcome: str) -> str:
    """Money goes back to a bank account in days, to a card at once."""
    by_card = charge["payment_method_details"]["type"] == "card"
    return "succeeded" if by_card and outcome == "succeeded" else "pending"


def _charge(shelf: ObjectStore, params: Obj) -> Obj:
    if "charge" in params:
        charge = shelf.get("charge", params["charge"], "charge")
    elif "payment_intent" in params:
        intent = shelf.get("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            sentence = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            raise Refusal(sentence, code="payment_intent_unexpected_state", began=True)
        charge = shelf.get("charge", intent["latest_charge"])
    else:
        raise required("payment_intent")
    if charge["disputed"]:
        raise Refusal(f"Charge {charge['id']} has been charged back.", code="charge_disputed", began=True)
    return charge


def _amount(charge: Obj, asked: int | None) -> int:
    left: int = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        sentence = f"Charge {charge['id']} has already been refunded."
        raise Refusal(sentence, code="charge_already_refunded", began=True)
    amount = left if asked is None else asked
    if amount < 1:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        more, unrefunded = (currencies.major(value, charge["currency"]) for value in (amount, left))
        sentence = f"Refund amount ({more}) is greater than unrefunded amount on charge ({unrefunded})"
        raise Refusal(sentence, param="amount", began=True)
    return amount


def _object(shelf: ObjectStore, charge: Obj, amount: int, params: Obj) -> Obj:
    basis = {
        "id": shelf.ground.new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "created": shelf.ground.now,
        "currency": charge["currency"],
        "destination_details": {"type": charge["payment_method_details"]["type"]},
        "metadata": dict(params.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
    }
    return blank("refund") | basis


def finish(shelf: ObjectStore, made: Obj, outcome: str) -> Obj:
    """A refund ends ``succeeded``, ``failed`` or ``canceled``; after the last two the money is the shop's again.

    One that succeeded may still fail, days later.
    """
    if outcome not in ("succeeded", "failed", "canceled"):
        raise Refusal("outcome is one of succeeded, failed, canceled", param="outcome")
    if made["status"] in ("failed", "canceled", outcome):
        raise Refusal(f"This refund is {made['status']}.", param="refund")
    before, made["status"] = made["status"], outcome
    if outcome != "succeeded":
        charge = shelf.get("charge", made["charge"])
        charge["amount_refunded"] -= made["amount"]
        charge["refunded"] = False
    if outcome == "failed":
        made["failure_reason"] = "expired_or_canceled_card"
        shelf.emit("refund.failed", made)
    shelf.emit("refund.updated", made, {"status": before})
    shelf.emit("charge.refund.updated", made, {"status": before})
    return made
