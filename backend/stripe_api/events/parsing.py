"""Read the fields of an object from a signed event. A signed event may still be malformed: each field is checked.

An absent or null field gives None, or an empty value of its type; a field of a wrong type raises ``BadEvent``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.facts import Fact

Object = Mapping[str, Any]

MAX_AMOUNT = 2**53
LAST_MOMENT = 2**33
"""A day in 2242; Stripe reports no later time."""
ID_LENGTH = 255


class BadEvent(Exception):
    """The event's body is wrong or lacks a required field; the text names it."""


@dataclass(frozen=True, slots=True)
class EventContext:
    """What an event says besides its object. ``created``: epoch seconds.

    ``account_id``: the Kommo account of the endpoint that received it. ``version``: the API version that shaped
    it, '' for the answer to a call. ``previous``: the former values of the object's changed fields.
    """

    created: float
    account_id: int
    version: str = ""
    previous: Object = field(default_factory=dict)


Handler = Callable[[Object, EventContext], Iterator[Fact]]


def clean(text: str, length: int = 500) -> str:
    """Return a text from outside, cut to ``length`` and without characters that a database or page refuses: line
    ends, NUL, lone surrogates."""
    return "".join(char for char in text if char.isprintable())[:length]


def text_of(row: Object, field: str) -> str:
    """Return a text field, cleaned; '' if absent. Raises ``BadEvent`` for another type."""
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise BadEvent(f"`{field}` is not text")
    return clean(value or "")


def part_of(row: Object, field: str) -> Object:
    """Return an object within the object; {} if absent. Raises ``BadEvent``."""
    value = row.get(field)
    if value is not None and not isinstance(value, Mapping):
        raise BadEvent(f"`{field}` is not an object")
    return value or {}


def rows_of(row: Object, field: str) -> list[Object]:
    """Return the ``data`` of a list within the object, as far as the event includes it. Raises ``BadEvent``."""
    rows = part_of(row, field).get("data")
    if rows is not None and not (isinstance(rows, list) and all(isinstance(one, Mapping) for one in rows)):
        raise BadEvent(f"`{field}` is not a list of objects")
    return rows or []


def amount_of(row: Object, field: str) -> int:
    """Return an amount in minor units. Raises ``BadEvent`` if it is absent, negative or too large."""
    value = _number(row, field)
    if value is None or not 0 <= value <= MAX_AMOUNT:
        raise BadEvent(f"`{field}` is not an amount in minor units")
    return value


def maybe_amount(row: Object, field: str) -> int | None:
    """Return an amount in minor units, or None if absent. Raises ``BadEvent``."""
    return None if row.get(field) is None else amount_of(row, field)


def taken_from_balance(row: Object) -> list[int | str] | None:
    """Return [minor units, currency] that a balance transaction withdrew; None if it is
    only an id or gave money back."""
    amount = _number(row, "amount")
    return None if amount is None or not -MAX_AMOUNT <= amount < 0 else [-amount, currency_of(row)]


def currency_of(row: Object, field: str = "currency") -> str:
    """Return the upper-case ISO code of a currency field. Raises ``BadEvent``."""
    value = row.get(field)
    if not isinstance(value, str) or len(value) != 3 or not value.isascii() or not value.isalpha():
        raise BadEvent(f"`{field}` is not a three-letter code")
    return value.upper()


def moment_of(row: Object, field: str, otherwise: float | None = None) -> float:
    """Return a time in epoch seconds, or ``otherwise`` if absent. Raises ``BadEvent``."""
    if row.get(field) is None and otherwise is not None:
        return otherwise
    value = _number(row, field)
    if value is None or not 0 <= value < LAST_MOMENT:
        raise BadEvent(f"`{field}` is not a time")
    return value


def id_of(row: Object, field: str, prefix: str = "") -> str:
    """Return a Stripe id, from an id or an expanded object. Raises ``BadEvent`` if absent or without the prefix."""
    value = maybe_id(row, field)
    if value is None or not value.startswith(prefix):
        raise BadEvent(f"`{field}` is not a Stripe id" + (f" beginning with {prefix}" if prefix else ""))
    return value


def maybe_id(row: Object, field: str) -> str | None:
    """Return a Stripe id, from an id or an expanded object; None if absent. Raises ``BadEvent``."""
    value = row.get(field)
    value = value.get("id") if isinstance(value, Mapping) else value
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH or not (value.isascii() and value.isprintable()):
        raise BadEvent(f"`{field}` is not a Stripe id")
    return value


def _number(row: Object, field: str) -> int | None:
    value = row.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
