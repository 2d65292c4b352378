"""The payment method of a charge."""

from collections.abc import Mapping

from backend.stripe_api.events.parsing import Object, clean

LONGEST = 40
"""The longest accepted name; Stripe's longest today has 24 characters."""


def paid_with(charge: Object) -> list[str] | None:
    """Return [type, brand, last four] of a succeeded charge, '' for what Stripe does not report; else None.

    Pages only display it, so a field of a wrong type counts as missing.
    """
    details = charge.get("payment_method_details")
    if charge.get("status") != "succeeded" or not isinstance(details, Mapping):
        return None
    kind = _text(details, "type")
    more = details.get(kind)
    shown = more if isinstance(more, Mapping) else {}
    last_four = _text(shown, "last4")
    return [kind, _text(shown, "brand"), last_four if _is_four(last_four) else ""] if kind else None


def _text(row: Object, field: str) -> str:
    value = row.get(field)
    return clean(value, LONGEST) if isinstance(value, str) else ""


def _is_four(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isalnum()
