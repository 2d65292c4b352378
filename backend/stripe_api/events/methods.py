"""How a payment was made, as far as its charge says."""

from collections.abc import Mapping

from backend.stripe_api.events.parsing import Object, clean

LONGEST = 40
"""Signs of a name of Stripe's; the longest of today has 24."""


def paid_with(charge: Object) -> list[str] | None:
    """[type, brand, last four] of a charge that brought money, "" where Stripe tells none; else None.

    A page shows it and nothing is counted by it, so a field of another kind counts as one that is not there.
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
