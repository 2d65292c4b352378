"""Disputes and inquiries: opened by the payer's bank, closed won or lost (docs/facts/stripe.md C9)."""

from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj, blank, document
from sandbox.stripe.objects.store import ObjectStore

TIME_TO_ANSWER = 10 * 86400
INQUIRY_OPEN = ("warning_needs_response", "warning_under_review")
INQUIRY_ENDS = {"won": "warning_closed", "lost": "needs_response"}


def open_dispute(
    shelf: ObjectStore, intent: Obj, amount: int | None = None, reason: str = "fraudulent", *, inquiry: bool = False
) -> Obj:
    """A dispute of a paid PaymentIntent. An inquiry (``warning_*``) moves no money."""
    if intent["status"] != "succeeded":
        raise Refusal("Only a payment that succeeded can be disputed.", param="payment_intent")
    charge = shelf.get("charge", intent["latest_charge"])
    status = "warning_needs_response" if inquiry else "needs_response"
    asked = charge["amount"] if amount is None else amount
    dispute = shelf.add(_object(shelf, charge, asked, reason) | {"status": status})
    dispute["is_charge_refundable"] = inquiry
    charge["disputed"] = charge["disputed"] or not inquiry
    shelf.emit("charge.dispute.created", dispute)
    if not inquiry:
        _move(shelf, dispute, -dispute["amount"], "charge.dispute.funds_withdrawn")
    return dispute


def close(shelf: ObjectStore, dispute: Obj, outcome: str) -> Obj:
    """``won`` brings the money back, ``lost`` does not; an inquiry that is won is ``warning_closed``, one that is lost
    becomes a dispute that needs an answer."""
    inquiry = dispute["status"].startswith("warning")
    if outcome not in ("won", "lost"):
        raise Refusal("outcome is won or lost", param="outcome")
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise Refusal(f"This dispute is {dispute['status']}.", param="dispute")
    dispute["status"] = INQUIRY_ENDS[outcome] if inquiry else outcome
    if inquiry and outcome == "lost":
        dispute["is_charge_refundable"] = False
        shelf.get("charge", dispute["charge"])["disputed"] = True
        shelf.emit("charge.dispute.updated", dispute, {"status": "warning_needs_response"})
        _move(shelf, dispute, -dispute["amount"], "charge.dispute.funds_withdrawn")
        return dispute
    if outcome == "won" and not inquiry:
        _move(shelf, dispute, dispute["amount"], "charge.dispute.funds_reinstated")
    shelf.emit("charge.dispute.closed", dispute)
    return dispute


def decide_again(shelf: ObjectStore, dispute: Obj) -> Obj:
    """What was won is lost, what was lost is won; whether the list of movements grows beyond two is in doubt."""
    turned = {"won": "lost", "lost": "won"}.get(dispute["status"])
    if turned is None:
        raise Refusal(f"This dispute is {dispute['status']}.", param="dispute")
    dispute["status"] = turned
    if shelf.ground.switches["dispute_turns"] == "booked":
        amount = dispute["amount"] if turned == "won" else -dispute["amount"]
        _move(shelf, dispute, amount, f"charge.dispute.funds_{'reinstated' if turned == 'won' else 'withdrawn'}")
    shelf.emit("charge.dispute.closed", dispute)
    return dispute


def end_inquiries(shelf: ObjectStore, charge: Obj) -> None:
    """A charge that was refunded whole leaves nothing to ask about."""
    for dispute in shelf.objects["dispute"].values():
        if dispute["charge"] == charge["id"] and dispute["status"] in INQUIRY_OPEN:
            dispute |= {"status": "warning_closed", "is_charge_refundable": False}
            shelf.emit("charge.dispute.closed", dispute)


def answer(shelf: ObjectStore, dispute: Obj) -> Obj:
    """The shop hands in evidence: the bank reviews."""
    before = dispute["status"]
    dispute["status"] = "warning_under_review" if before.startswith("warning") else "under_review"
    dispute["evidence_details"] = dispute["evidence_details"] | {"has_evidence": True, "submission_count": 1}
    shelf.emit("charge.dispute.updated", dispute, {"status": before})
    return dispute


def _object(shelf: ObjectStore, charge: Obj, amount: int, reason: str) -> Obj:
    evidence = document("legacy")["objects"]["dispute_evidence"]["properties"]
    due_by = shelf.ground.now + TIME_TO_ANSWER
    basis = {
        "id": shelf.ground.new_id("du_1"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": shelf.ground.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(evidence) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": shelf.livemode,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
    }
    return blank("dispute") | basis


def _move(shelf: ObjectStore, dispute: Obj, amount: int, type: str) -> None:
    entry = {
        "id": shelf.ground.new_id("txn_1"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": shelf.ground.now,
        "balance_type": "payments",
        "created": shelf.ground.now,
        "currency": dispute["currency"],
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }
    made = shelf.add(blank("balance_transaction") | entry)
    dispute["balance_transactions"] = [*dispute["balance_transactions"], made]
    shelf.emit(type, dispute)
