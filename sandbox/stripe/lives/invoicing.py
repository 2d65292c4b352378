"""Stripe Invoicing: an invoice made in the dashboard, paid in parts, too much, or outside (docs/facts/stripe.md C7)."""

from sandbox.stripe.lives import intents, invoices
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore


def send(
    shelf: ObjectStore, *, amount: int, currency: str, metadata: dict[str, str], customer: str | None = None
) -> Obj:
    """An open invoice that waits for its payer."""
    line = invoices.line(shelf, amount=amount, currency=currency, description="Consulting")
    invoice = invoices.new_invoice(
        shelf,
        lines=[line],
        currency=currency,
        billing_reason="manual",
        collection_method="send_invoice",
        customer=customer,
        due_date=shelf.ground.now + 30 * 86400,
        metadata=dict(metadata),
    )
    invoices.announce(shelf, invoice)
    shelf.emit("invoice.sent", invoice)
    return invoice


def pay(shelf: ObjectStore, invoice: Obj, amount: int | None = None) -> Obj:
    """Money for an open invoice through Stripe: all that remains, a part, or too much; returns its PaymentIntent."""
    _must_be_payable(invoice)
    due = invoice["amount_remaining"] if amount is None else amount
    intent = intents.new_intent(shelf, amount=due, currency=invoice["currency"], customer=invoice["customer"])
    part = invoices.by_intent(shelf, invoice, intent)
    shelf.emit("payment_intent.created", intent)
    charge = intents.succeed(shelf, intent, email=None)
    invoices.pay_part(shelf, invoice, part)
    shelf.emit("charge.succeeded", charge)
    shelf.emit("payment_intent.succeeded", intent)
    invoices.announce_paid(shelf, invoice, part)
    if invoice["amount_overpaid"]:
        shelf.emit("invoice.overpaid", invoice)
    intents.book(shelf, charge)
    return intent


def pay_together(shelf: ObjectStore, several: list[Obj]) -> Obj:
    """One PaymentIntent that pays all that remains of several invoices; returns it."""
    for invoice in several:
        _must_be_payable(invoice)
    amounts = [invoice["amount_remaining"] for invoice in several]
    currency, customer = several[0]["currency"], several[0]["customer"]
    intent = intents.new_intent(shelf, amount=sum(amounts), currency=currency, customer=customer)
    by_it = {"type": "payment_intent", "payment_intent": intent["id"]}
    parts = [invoices.attach(shelf, one, by_it, amount) for one, amount in zip(several, amounts, strict=True)]
    shelf.emit("payment_intent.created", intent)
    charge = intents.succeed(shelf, intent, email=None)
    shelf.emit("charge.succeeded", charge)
    shelf.emit("payment_intent.succeeded", intent)
    for invoice, part in zip(several, parts, strict=True):
        invoices.pay_part(shelf, invoice, part)
        invoices.announce_paid(shelf, invoice, part)
    intents.book(shelf, charge)
    return intent


def pay_outside(shelf: ObjectStore, invoice: Obj, amount: int | None = None, *, recorded: bool = True) -> Obj:
    """Mark the invoice as paid outside Stripe: no charge, only ``invoice.paid`` (docs/facts/stripe.md C10).

    Where it is not ``recorded``, no InvoicePayment stands for that money. Of a part of it that is not recorded, only
    the invoice's own amounts tell.
    """
    _must_be_payable(invoice)
    if amount is not None and not recorded and amount < invoice["amount_remaining"]:
        invoice["amount_paid"] += amount
        invoice["amount_remaining"] -= amount
        return invoice
    if not recorded:
        invoice |= {"amount_paid": invoice["amount_due"], "amount_remaining": 0}
        invoices.close(shelf, invoice)
        invoices.announce_paid(shelf, invoice, charged=False)
        return invoice
    record = {"type": "payment_record", "payment_record": shelf.ground.new_id("pr_1")}
    part = invoices.attach(shelf, invoice, record)
    invoices.pay_part(shelf, invoice, part)
    invoices.announce_paid(shelf, invoice, part, charged=False)
    return invoice


def void(shelf: ObjectStore, invoice: Obj) -> Obj:
    _must_be_payable(invoice)
    invoice |= {"status": "void", "auto_advance": False}
    invoice["status_transitions"] = invoice["status_transitions"] | {"voided_at": shelf.ground.now}
    shelf.emit("invoice.voided", invoice)
    return invoice


def write_off(shelf: ObjectStore, invoice: Obj) -> Obj:
    """Mark the invoice as uncollectible."""
    _must_be_open(invoice)
    invoice |= {"status": "uncollectible", "auto_advance": False}
    marked = {"marked_uncollectible_at": shelf.ground.now}
    invoice["status_transitions"] = invoice["status_transitions"] | marked
    shelf.emit("invoice.marked_uncollectible", invoice)
    return invoice


def _must_be_open(invoice: Obj) -> None:
    if invoice["status"] != "open":
        raise Refusal(f"This invoice is {invoice['status']}.", param="invoice")


def _must_be_payable(invoice: Obj) -> None:
    """One that was written off as uncollectible may still be paid or voided."""
    if invoice["status"] not in ("open", "uncollectible"):
        raise Refusal(f"This invoice is {invoice['status']}.", param="invoice")
