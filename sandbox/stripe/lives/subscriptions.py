"""Subscriptions: started by a session, invoiced by the period."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from sandbox.stripe.lives import invoices
from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import ObjectStore


def period_end(start: int, interval: str, count: int) -> int:
    """The end of a period that begins at ``start``; a month that is too short ends it on its last day."""
    moment = datetime.fromtimestamp(start, UTC)
    if interval in ("day", "week"):
        return int((moment + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = moment.month - 1 + count * (12 if interval == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


def start(shelf: ObjectStore, session: Obj, customer: str) -> Obj:
    """A subscription over the recurring lines of ``session``, active or in its trial."""
    asked = shelf.asked[session["id"]].get("subscription_data", {})
    now, id = shelf.ground.now, shelf.ground.new_id("sub_1")
    trial_end = asked.get("trial_end") or (
        now + 86400 * asked["trial_period_days"] if "trial_period_days" in asked else None
    )
    recurring = [each for each in shelf.lines[session["id"]] if each["price"]["type"] == "recurring"]
    items = [_item(shelf, each, id, trial_end) for each in recurring]
    basis = {
        "id": id,
        "object": "subscription",
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now,
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": None},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": session["currency"],
        "customer": customer,
        "default_tax_rates": [],
        "description": asked.get("description"),
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": {
            "object": "list",
            "data": items,
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={id}",
        },
        "livemode": shelf.livemode,
        "metadata": dict(asked.get("metadata", {})),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "status": "trialing" if trial_end else "active",
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": now if trial_end else None,
    }
    return shelf.add(blank("subscription") | basis)


def _item(shelf: ObjectStore, line: Obj, subscription: str, trial_end: int | None) -> Obj:
    now, price = shelf.ground.now, line["price"]
    repeat = price["recurring"]
    return {
        "id": shelf.ground.new_id("si_", 14),
        "object": "subscription_item",
        "created": now,
        "current_period_start": now,
        "current_period_end": trial_end or period_end(now, repeat["interval"], repeat["interval_count"]),
        "discounts": [],
        "metadata": {},
        "plan": _plan(price),
        "price": price,
        "quantity": line["quantity"],
        "subscription": subscription,
        "tax_rates": [],
        "billing_thresholds": None,
    }


def _plan(price: Obj) -> Obj:
    shared = "active billing_scheme created currency livemode metadata nickname product".split()
    unsaid = dict.fromkeys("aggregate_usage tiers_mode transform_usage trial_period_days".split())
    amounts = {"amount": price["unit_amount"], "amount_decimal": price["unit_amount_decimal"], "id": price["id"]}
    shown: Obj = unsaid | {name: price[name] for name in shared} | price["recurring"] | amounts
    return shown | {"object": "plan"}


def invoice_for(shelf: ObjectStore, subscription: Obj, reason: str, extra: list[Obj] | None = None) -> Obj:
    """An open invoice over the running period (0.00 in a trial), with one-time lines of the first session added."""
    trial = subscription["status"] == "trialing"
    lines = [_line(shelf, subscription, item, trial) for item in subscription["items"]["data"]] + (extra or [])
    return invoice_over(shelf, subscription, reason, lines)


def invoice_over(shelf: ObjectStore, subscription: Obj, reason: str, lines: list[Obj]) -> Obj:
    """An open invoice of the subscription, with its metadata as it is now."""
    details = {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}
    parent = {"type": "subscription_details", "quote_details": None, "subscription_details": details}
    first = subscription["items"]["data"][0]
    invoice = invoices.new_invoice(
        shelf,
        lines=lines,
        currency=subscription["currency"],
        billing_reason=reason,
        customer=subscription["customer"],
        parent=parent,
        period_start=first["current_period_start"],
        period_end=first["current_period_start"],
    )
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _line(shelf: ObjectStore, subscription: Obj, item: Obj, trial: bool) -> Obj:
    details = {"subscription": subscription["id"], "subscription_item": item["id"], "invoice_item": None}
    parent = {"type": "subscription_item_details", "invoice_item_details": None}
    return invoices.line(
        shelf,
        amount=0 if trial else item["price"]["unit_amount"] * item["quantity"],
        currency=subscription["currency"],
        description=shelf.objects["product"][item["price"]["product"]]["name"],
        metadata=dict(subscription["metadata"]),
        parent=parent | {"subscription_item_details": details | {"proration": False, "proration_details": None}},
        period={"start": item["current_period_start"], "end": item["current_period_end"]},
        quantity=item["quantity"],
    )
