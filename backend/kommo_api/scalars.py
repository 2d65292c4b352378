"""Reads Kommo's loosely typed scalars: numbers come as numbers or as text; optional values are absent or ``null``."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Row = Mapping[str, Any]


class Unreadable(ValueError):
    """A value that Kommo documents is missing or has another type."""


def number(given: Any) -> Decimal:
    """12, 12.5 or "12.5" as a ``Decimal``. Raises ``Unreadable`` for anything else, NaN and infinity included."""
    try:
        value = Decimal("nan") if isinstance(given, bool) else Decimal(str(given).strip())
    except InvalidOperation:
        raise Unreadable(f"{given!r} is no number") from None
    if not value.is_finite():
        raise Unreadable(f"{given!r} is no number")
    return value


def whole(given: Any) -> int:
    """12, "12" or 12.0 as an int. Raises ``Unreadable`` for anything else, a fraction included."""
    value = number(given)
    if value.adjusted() > 30 or value != value.to_integral_value():
        raise Unreadable(f"{given!r} is no whole number")
    return int(value)


def whole_or(given: Any, otherwise: int) -> int:
    """``given`` as an int, or ``otherwise`` if it is None or ''. Raises ``Unreadable`` as ``whole``."""
    return otherwise if given in (None, "") else whole(given)


def text(given: Any) -> str:
    """``given`` as text; '' for None."""
    return "" if given is None else str(given)


def flag(given: Any) -> bool:
    """True for true, 1, "1" and "true"; False for everything else."""
    return given is True or (not isinstance(given, bool) and str(given).lower() in ("1", "true"))


def row(given: Any) -> Row:
    """The JSON object, or an empty one for any other value (PHP sends ``[]`` for an empty object)."""
    return given if isinstance(given, dict) else {}


def rows(given: Any) -> list[Row]:
    """The JSON objects in a list; empty if ``given`` is not a list."""
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def required(given: Row, key: str) -> Any:
    """The value of ``key``. Raises ``Unreadable`` if it is absent, None or ''."""
    if given.get(key) in (None, ""):
        raise Unreadable(f"{key} is missing")
    return given[key]
