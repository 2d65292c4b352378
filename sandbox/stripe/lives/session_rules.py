"""What Stripe refuses of a Checkout Session's parameters beyond their shape (docs/facts/stripe.md B1)."""

import re
from urllib.parse import urlsplit

from sandbox.stripe.objects.ground import Ground
from sandbox.stripe.objects.refusals import Refusal, required
from sandbox.stripe.objects.schemas import Obj

HALF_AN_HOUR, A_DAY = 1800, 86400
PAGE_NEEDS_SUCCESS_URL = (None, "hosted_page", "hosted")
MODE_ONLY = {
    "payment_intent_data": ("payment",),
    "invoice_creation": ("payment",),
    "subscription_data": ("subscription",),
    "payment_method_collection": ("subscription",),
    "customer_creation": ("payment", "setup"),
    "setup_intent_data": ("setup",),
}
UNPLAYED = ("discounts", "shipping_options", "optional_items", "customer_account")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def check(params: Obj, ground: Ground) -> None:
    """``Refusal`` for what no session can be made of; amounts are checked with the lines."""
    mode = params.get("mode")
    if mode is None:
        raise required("mode")
    _check_mode(params, mode)
    _check_played(params, mode)
    _check_lines(params, mode)
    _check_addresses(params)
    _check_customer(params)
    _check_expiry(params.get("expires_at"), ground.now)


def _check_mode(params: Obj, mode: str) -> None:
    for name, modes in MODE_ONLY.items():
        if name in params and mode not in modes:
            raise Refusal(f"You can not pass `{name}` in `{mode}` mode.", param=name)


def _check_played(params: Obj, mode: str) -> None:
    """Better refused than silently ignored: these would change what is paid, and nobody here plays them."""
    unplayed = [name for name in UNPLAYED if name in params]
    if mode == "setup":
        unplayed.append("mode=setup")
    if params.get("managed_payments", {}).get("enabled"):
        unplayed.append("managed_payments[enabled]=true")
    if params.get("payment_intent_data", {}).get("capture_method") == "manual":
        unplayed.append("payment_intent_data[capture_method]=manual")
    if any("adjustable_quantity" in line or "tax_rates" in line for line in params.get("line_items", ())):
        unplayed.append("adjustable_quantity and tax_rates")
    if unplayed:
        raise Refusal(f"This sandbox does not play {', '.join(unplayed)}.", param=unplayed[0])


def _check_lines(params: Obj, mode: str) -> None:
    lines = params.get("line_items", [])
    if not lines and mode != "setup":
        raise required("line_items")
    for number, line in enumerate(lines):
        _check_line(line, mode, f"line_items[{number}]")
    if mode == "subscription" and not any("price" in line or "recurring" in line["price_data"] for line in lines):
        raise Refusal("You must provide at least one recurring price in `subscription` mode.", param="line_items")
    if len(lines) > (100 if mode == "payment" else 40):
        raise Refusal("Too many line items", param="line_items")


def _check_line(line: Obj, mode: str, path: str) -> None:
    if ("price" in line) == ("price_data" in line):
        raise Refusal("You must specify either `price` or `price_data`.", param=path)
    if "quantity" not in line:
        raise Refusal(f"Quantity is required. Add `quantity` to `{path}`", code="parameter_missing", param=path)
    if line["quantity"] < 1:
        raise Refusal("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=path)
    data = line.get("price_data")
    if data is None:
        return
    if ("unit_amount" in data) == ("unit_amount_decimal" in data):
        raise Refusal("Specify one of `unit_amount` and `unit_amount_decimal`.", param=f"{path}[price_data]")
    if ("product" in data) == ("product_data" in data):
        raise Refusal("Specify one of `product` and `product_data`.", param=f"{path}[price_data]")
    if mode == "payment" and "recurring" in data:
        sentence = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode."
        raise Refusal(sentence, param=path)


def _check_addresses(params: Obj) -> None:
    if "success_url" not in params and params.get("ui_mode") in PAGE_NEEDS_SUCCESS_URL:
        raise required("success_url")
    for name in ("success_url", "cancel_url"):
        parts = urlsplit(params.get(name, "https://absent.example"))
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Refusal("Not a valid URL", code="url_invalid", param=name)


def _check_customer(params: Obj) -> None:
    if "customer" in params and "customer_email" in params:
        sentence = "You may only specify one of these parameters: customer, customer_email."
        raise Refusal(sentence, param="customer_email")
    email = params.get("customer_email")
    if email is not None and not _EMAIL.fullmatch(email):
        raise Refusal(f"Invalid email address: {email}", code="email_invalid", param="customer_email")


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is None:
        return
    if expires_at < now + HALF_AN_HOUR:
        sentence = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise Refusal(sentence, param="expires_at")
    if expires_at > now + A_DAY:
        sentence = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise Refusal(sentence, param="expires_at")
