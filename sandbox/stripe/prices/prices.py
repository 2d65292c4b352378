"""Prices and products, and the line items of a session that are made of them."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import ObjectStore
from sandbox.stripe.prices import currencies


def new_product(shelf: ObjectStore, data: Obj) -> Obj:
    basis = {
        "id": shelf.ground.new_id("prod_", 14),
        "object": "product",
        "active": True,
        "created": shelf.ground.now,
        "features": [],
        "images": [],
        "livemode": shelf.livemode,
        "metadata": {},
        "updated": shelf.ground.now,
    }
    return shelf.add(blank("product", "legacy") | basis | data)


def new_price(shelf: ObjectStore, data: Obj, path: str) -> Obj:
    """A price of ``price_data``; checks the currency and the amount of one unit."""
    currency = currencies.check_currency(data["currency"], f"{path}[currency]")
    unit = Decimal(data["unit_amount_decimal"] if "unit_amount_decimal" in data else data["unit_amount"])
    whole = int(unit.to_integral_value(ROUND_HALF_UP))
    currencies.check_unit_amount(whole, currency, f"{path}[unit_amount]", shelf.ground.switches)
    product = data.get("product") or new_product(shelf, data["product_data"])["id"]
    recurring = data.get("recurring")
    basis = {
        "id": shelf.ground.new_id("price_1"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": shelf.ground.now,
        "currency": currency,
        "livemode": shelf.livemode,
        "metadata": {},
        "product": product,
        "recurring": recurring and {"interval_count": 1, "usage_type": "licensed", "meter": None} | recurring,
        "tax_behavior": data.get("tax_behavior", "unspecified"),
        "type": "recurring" if recurring else "one_time",
        "unit_amount": whole if unit == whole else None,
        "unit_amount_decimal": str(unit),
    }
    return shelf.add(blank("price", "legacy") | basis)


def line_items(shelf: ObjectStore, asked: list[Obj]) -> list[Obj]:
    """The session's lines, all in one currency, or a ``Refusal``."""
    lines = [_line(shelf, line, f"line_items[{number}]") for number, line in enumerate(asked)]
    if len({line["currency"] for line in lines}) > 1:
        raise Refusal("All prices on a Checkout session must have the same currency", param="line_items")
    return lines


def _line(shelf: ObjectStore, line: Obj, path: str) -> Obj:
    if "price" in line:
        price = shelf.get("price", line["price"], f"{path}[price]")
    else:
        price = new_price(shelf, line["price_data"], f"{path}[price_data]")
    amount = int((Decimal(price["unit_amount_decimal"]) * line["quantity"]).to_integral_value(ROUND_HALF_UP))
    return {
        "id": shelf.ground.new_id("li_1"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": shelf.objects["product"][price["product"]]["name"],
        "metadata": line.get("metadata", {}),
        "price": price,
        "quantity": line["quantity"],
    }
