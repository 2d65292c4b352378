"""The same objects as an API version before basil showed them (docs/facts/stripe.md C1).

Invoice, charge and PaymentIntent name each other, the subscription's metadata lies on the invoice itself, and an
invoice carries ``paid`` and ``paid_out_of_band``.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from sandbox.stripe.objects.schemas import Obj, blank, document
from sandbox.stripe.objects.store import ObjectStore


def as_legacy(shelf: ObjectStore, obj: Obj) -> Obj:
    """``obj`` in the 2023-08-16 shape; objects that are newer than that come back as they are."""
    kind = obj["object"]
    if kind not in document("legacy")["objects"]:
        return deepcopy(obj)
    shared: Obj = _known(obj)
    return blank(kind, "legacy") | shared | _EXTRA.get(kind, _nothing)(shelf, obj)


def _known(node: Any) -> Any:
    """A copy without the fields that were not known then, inner objects included."""
    if isinstance(node, list):
        return [_known(part) for part in node]
    if not isinstance(node, dict):
        return node
    kind = document("legacy")["objects"].get(str(node.get("object")))
    return {name: _known(part) for name, part in node.items() if kind is None or name in kind["properties"]}


def _nothing(_shelf: ObjectStore, _obj: Obj) -> Obj:
    return {}


def _invoice_of(shelf: ObjectStore, intent: str | None) -> str | None:
    return next((payment["invoice"] for payment in shelf.payments_of(intent=intent)), None) if intent else None


def _intent(shelf: ObjectStore, obj: Obj) -> Obj:
    return {"invoice": _invoice_of(shelf, obj["id"])}


def _charge(shelf: ObjectStore, obj: Obj) -> Obj:
    return {"invoice": _invoice_of(shelf, obj["payment_intent"])}


def _invoice(shelf: ObjectStore, obj: Obj) -> Obj:
    parts = [part for part in shelf.payments_of(invoice=obj["id"]) if part["payment"]["type"] == "payment_intent"]
    intent = shelf.find("payment_intent", parts[0]["payment"]["payment_intent"]) if parts else None
    details = (obj["parent"] or {}).get("subscription_details")
    paid, by_stripe = obj["status"] == "paid", sum(part["amount_paid"] or 0 for part in parts)
    return {
        "charge": intent["latest_charge"] if intent else None,
        "paid": paid,
        "paid_out_of_band": paid and obj["amount_paid"] > by_stripe,
        "amount_paid": by_stripe,
        "payment_intent": intent["id"] if intent else None,
        "subscription": details["subscription"] if details else None,
        "subscription_details": {"metadata": details["metadata"]} if details else None,
        "total_tax_amounts": [],
        "lines": obj["lines"] | {"data": [_line(line) for line in obj["lines"]["data"]]},
    }


def _line(line: Obj) -> Obj:
    parent = line["parent"] or {}
    item, extra = (parent.get(f"{kind}_details") or {} for kind in ("subscription_item", "invoice_item"))
    kept: Obj = {name: line[name] for name in _LINE if name in line}
    if item:
        kept["subscription_item"] = item["subscription_item"]
    return kept | {
        "price": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": (item or extra).get("subscription"),
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription" if item else "invoiceitem",
    }


_LINE = (
    "id object amount currency description discount_amounts discountable discounts livemode metadata period quantity"
).split()


def _subscription(_shelf: ObjectStore, obj: Obj) -> Obj:
    first = obj["items"]["data"][0]
    return {name: first[name] for name in ("current_period_start", "current_period_end")}


_EXTRA: dict[str, Callable[[ObjectStore, Obj], Obj]] = {
    "payment_intent": _intent,
    "charge": _charge,
    "invoice": _invoice,
    "subscription": _subscription,
}
