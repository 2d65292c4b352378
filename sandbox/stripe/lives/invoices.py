"""Invoices and the InvoicePayments that pay them."""

from typing import Any

from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import ObjectStore


def new_invoice(shelf: ObjectStore, *, lines: list[Obj], currency: str, billing_reason: str, **fields: Any) -> Obj:
    """An open invoice over ``lines`` (see ``line``); one of nothing is born to be paid at once."""
    total, id = sum(line["amount"] for line in lines), shelf.ground.new_id("in_1")
    for each in lines:
        each["invoice"] = id
    now, most = shelf.ground.now, 10 if shelf.ground.switches["invoice_lines"] == "first_ten" else len(lines)
    listed = {"object": "list", "data": lines[:most], "has_more": len(lines) > most, "url": f"/v1/invoices/{id}/lines"}
    basis = {
        "id": id,
        "object": "invoice",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": total,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": billing_reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "default_tax_rates": [],
        "discounts": [],
        "effective_at": now,
        "hosted_invoice_url": f"{shelf.ground.base_url}/i/{id}",
        "issuer": {"type": "self"},
        "lines": listed,
        "livemode": shelf.livemode,
        "metadata": {},
        "number": f"SBX-{len(shelf.objects['invoice']) + 1:04d}",
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "open",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at"))
        | {"finalized_at": now},
        "subtotal": total,
        "total": total,
    }
    return shelf.add(blank("invoice") | basis | fields)


def restate(invoice: Obj, amount: int, currency: str) -> None:
    """The same invoice in the payer's own money, as one line."""
    only = invoice["lines"]["data"][0] | {"amount": amount, "subtotal": amount, "currency": currency}
    invoice["lines"] = invoice["lines"] | {"data": [only], "has_more": False}
    invoice |= dict.fromkeys(("amount_due", "amount_remaining", "subtotal", "total"), amount) | {"currency": currency}


def line(shelf: ObjectStore, *, amount: int, currency: str, description: str, **fields: Any) -> Obj:
    """An invoice line; pass ``parent`` and ``period`` for one of a subscription."""
    now = shelf.ground.now
    basis = {
        "id": shelf.ground.new_id("il_1"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "livemode": shelf.livemode,
        "metadata": {},
        "period": {"start": now, "end": now},
        "quantity": 1,
        "subtotal": amount,
    }
    return blank("line_item") | basis | fields


def announce(shelf: ObjectStore, invoice: Obj) -> None:
    """``invoice.created`` shows the draft it was for a moment (an hour, at renewals)."""
    transitions = invoice["status_transitions"] | {"finalized_at": None}
    draft = {"status": "draft", "number": None, "hosted_invoice_url": None, "effective_at": None}
    shelf.emit("invoice.created", invoice | draft | {"status_transitions": transitions})
    shelf.emit("invoice.finalized", invoice)


def attach(shelf: ObjectStore, invoice: Obj, payment: Obj, amount: int | None = None) -> Obj:
    """An open InvoicePayment: ``payment`` is ``{"type": "payment_intent", "payment_intent": id}`` and the like."""
    basis = {
        "id": shelf.ground.new_id("inpay_1"),
        "object": "invoice_payment",
        "amount_requested": invoice["amount_remaining"] if amount is None else amount,
        "created": shelf.ground.now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": shelf.livemode,
        "payment": payment,
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    return shelf.add(blank("invoice_payment") | basis)


def by_intent(shelf: ObjectStore, invoice: Obj, intent: Obj) -> Obj:
    return attach(shelf, invoice, {"type": "payment_intent", "payment_intent": intent["id"]}, intent["amount"])


def pay_part(shelf: ObjectStore, invoice: Obj, part: Obj) -> None:
    """The InvoicePayment is paid; the invoice too, once nothing remains."""
    now = shelf.ground.now
    part |= {"status": "paid", "amount_paid": part["amount_requested"]}
    part["status_transitions"] = {"canceled_at": None, "paid_at": now}
    paid = invoice["amount_paid"] + part["amount_paid"]
    invoice |= {"amount_paid": paid, "amount_remaining": max(0, invoice["amount_due"] - paid), "attempted": True}
    invoice["amount_overpaid"] = max(0, paid - invoice["amount_due"])
    invoice["attempt_count"] += 1
    if not invoice["amount_remaining"]:
        close(shelf, invoice)


def close(shelf: ObjectStore, invoice: Obj) -> None:
    invoice |= {"status": "paid", "attempted": True, "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"] = invoice["status_transitions"] | {"paid_at": shelf.ground.now}


def announce_paid(shelf: ObjectStore, invoice: Obj, part: Obj | None = None, *, charged: bool = True) -> None:
    """``invoice.payment_succeeded`` tells of charged invoices only; one of 0.00 counts as charged."""
    if part is not None:
        shelf.emit("invoice_payment.paid", part)
    if invoice["status"] == "paid":
        shelf.emit("invoice.paid", invoice)
        if charged:
            shelf.emit("invoice.payment_succeeded", invoice)
