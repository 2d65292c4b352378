"""Kommo's loose scalars: numbers come as numbers or as text, and what is optional is left out or ``null``."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Row = Mapping[str, Any]


class Unreadable(ValueError):
    """A value that Kommo promises is missing or of another kind."""


def number(given: Any) -> Decimal:
    """12, 12.5, "12.5" → Decimal. Raises ``Unreadable``."""
    try:
        value = Decimal("nan") if isinstance(given, bool) else Decimal(str(given).strip())
    except InvalidOperation:
        raise Unreadable(f"{given!r} is no number") from None
    if not value.is_finite():
        raise Unreadable(f"{given!r} is no number")
    return value


def whole(given: Any) -> int:
    """12, "12", 12.0 → 12. Raises ``Unreadable``, also for what has a fraction."""
    value = number(given)
    if value.adjusted() > 30 or value != value.to_integral_value():
        raise Unreadable(f"{given!r} is no whole number")
    return int(value)


def whole_or(given: Any, otherwise: int) -> int:
    return otherwise if given in (None, "") else whole(given)


def text(given: Any) -> str:
    """``null`` is the empty text."""
    return "" if given is None else str(given)


def flag(given: Any) -> bool:
    """true, 1, "1", "true" are true."""
    return given is True or (not isinstance(given, bool) and str(given).lower() in ("1", "true"))


def row(given: Any) -> Row:
    """An object, or an empty one for everything else (PHP sends ``[]`` for an empty object)."""
    return given if isinstance(given, dict) else {}


def rows(given: Any) -> list[Row]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def required(given: Row, key: str) -> Any:
    if given.get(key) in (None, ""):
        raise Unreadable(f"{key} is missing")
    return given[key]
