"""What becomes of a subscription: renewed, failed, collected after all, ended (docs/facts/stripe.md C6)."""

from sandbox.stripe.lives import intents, invoices, subscriptions
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore


def renew(shelf: ObjectStore, subscription: Obj, outcome: str = "paid") -> Obj:
    """The next period's invoice, ``paid`` or ``failed``; returns it."""
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise Refusal("This subscription has ended.")
    _next_period(subscription)
    items = shelf.pending.pop(subscription["id"], [])
    invoice = subscriptions.invoice_for(shelf, subscription, "subscription_cycle", items)
    invoices.announce(shelf, invoice)
    intent = intents.new_intent(
        shelf, amount=invoice["amount_due"], currency=invoice["currency"], customer=subscription["customer"]
    )
    part = invoices.by_intent(shelf, invoice, intent)
    shelf.emit("payment_intent.created", intent)
    shelf.emit("customer.subscription.updated", subscription, {"latest_invoice": None})
    if outcome == "failed":
        return _renewal_failed(shelf, subscription, invoice, intent)
    return collect(shelf, subscription, invoice, intent, part)


def add_item(shelf: ObjectStore, subscription: Obj, amount: int, metadata: Obj) -> Obj:
    """Add a pending invoice item with metadata of its own: a line of the next invoice."""
    line = _item(shelf, subscription, amount, metadata, proration=False)
    shelf.pending.setdefault(subscription["id"], []).append(line)
    return line


def bill(shelf: ObjectStore, subscription: Obj, amount: int, reason: str) -> Obj:
    """Make and collect an invoice between two periods: a proration, a threshold, or one made by hand."""
    if subscription["status"] != "active":
        raise Refusal("This subscription is not active.")
    lines = [_item(shelf, subscription, amount, {}, proration=reason == "subscription_update")]
    invoice = subscriptions.invoice_over(shelf, subscription, reason, lines)
    invoices.announce(shelf, invoice)
    intent = intents.new_intent(shelf, amount=amount, currency=invoice["currency"], customer=subscription["customer"])
    part = invoices.by_intent(shelf, invoice, intent)
    shelf.emit("payment_intent.created", intent)
    return collect(shelf, subscription, invoice, intent, part)


def mark(shelf: ObjectStore, subscription: Obj, metadata: Obj) -> Obj:
    """Change the subscription's metadata: the next invoices take it over, older ones keep theirs."""
    subscription["metadata"] = subscription["metadata"] | metadata
    shelf.emit("customer.subscription.updated", subscription, {"metadata": {}})
    return subscription


def _item(shelf: ObjectStore, subscription: Obj, amount: int, metadata: Obj, *, proration: bool) -> Obj:
    details = {"invoice_item": shelf.ground.new_id("ii_1"), "subscription": subscription["id"]}
    source = details | {"proration": proration, "proration_details": None}
    return invoices.line(
        shelf,
        amount=amount,
        currency=subscription["currency"],
        description="Extra",
        metadata=dict(metadata),
        parent={"type": "invoice_item_details", "invoice_item_details": source, "subscription_item_details": None},
    )


def _next_period(subscription: Obj) -> None:
    for item in subscription["items"]["data"]:
        repeat = item["price"]["recurring"]
        item["current_period_start"] = item["current_period_end"]
        item["current_period_end"] = subscriptions.period_end(
            item["current_period_start"], repeat["interval"], repeat["interval_count"]
        )
    if subscription["status"] == "trialing":
        subscription["status"] = "active"


def _renewal_failed(shelf: ObjectStore, subscription: Obj, invoice: Obj, intent: Obj) -> Obj:
    intents.decline(shelf, intent, email=None)
    next_try = shelf.ground.now + 3 * 86400
    invoice |= {"attempted": True, "attempt_count": 1, "next_payment_attempt": next_try}
    subscription["status"] = "past_due"
    shelf.emit("invoice.payment_failed", invoice)
    shelf.emit("customer.subscription.updated", subscription, {"status": "active"})
    return invoice


def retry(shelf: ObjectStore, subscription: Obj) -> Obj:
    """A renewal that failed is collected after all, by the same PaymentIntent."""
    invoice = shelf.get("invoice", subscription["latest_invoice"])
    if invoice["status"] != "open":
        raise Refusal(f"This invoice is {invoice['status']}.", param="invoice")
    part = next(shelf.payments_of(invoice=invoice["id"]))
    intent = shelf.get("payment_intent", part["payment"]["payment_intent"])
    return collect(shelf, subscription, invoice, intent, part)


def collect(shelf: ObjectStore, subscription: Obj, invoice: Obj, intent: Obj, part: Obj) -> Obj:
    """The money of a subscription's open invoice came, at once or at a later try."""
    charge = intents.succeed(shelf, intent, email=None)
    invoices.pay_part(shelf, invoice, part)
    subscription["status"] = "active"
    shelf.emit("charge.succeeded", charge)
    shelf.emit("payment_intent.succeeded", intent)
    invoices.announce_paid(shelf, invoice, part)
    intents.book(shelf, charge)
    return invoice


def cancel(shelf: ObjectStore, subscription: Obj) -> Obj:
    now = shelf.ground.now
    subscription |= {"status": "canceled", "canceled_at": now, "ended_at": now}
    subscription["cancellation_details"] = {"comment": None, "feedback": None, "reason": "cancellation_requested"}
    shelf.emit("customer.subscription.deleted", subscription)
    return subscription
