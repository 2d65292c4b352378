"""Fields of an object that a signed event brought. Signed is not well-formed: each is checked where it is read.

A field that is absent or null gives None (or the empty thing of its kind); one of a wrong kind raises ``BadEvent``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.facts import Fact

Object = Mapping[str, Any]

MAX_AMOUNT = 2**53
LAST_MOMENT = 2**33
"""Some day in 2242: no time that Stripe tells is later."""
ID_LENGTH = 255


class BadEvent(Exception):
    """The event's body lies or lacks something that we need; the text names it."""


@dataclass(frozen=True, slots=True)
class EventContext:
    """What an event says beside its object. ``account_id`` is ours, by the endpoint that it came to.

    ``version``: the API's version that shaped it, "" where Stripe was asked.
    """

    created: float
    account_id: int
    version: str = ""


Handler = Callable[[Object, EventContext], Iterator[Fact]]


def clean(text: str, length: int = 500) -> str:
    """Text from outside, cut and rid of what no database or page takes: line ends, NUL, lone surrogates."""
    return "".join(char for char in text if char.isprintable())[:length]


def text_of(row: Object, field: str) -> str:
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise BadEvent(f"`{field}` is no text")
    return clean(value or "")


def part_of(row: Object, field: str) -> Object:
    """An object within the object."""
    value = row.get(field)
    if value is not None and not isinstance(value, Mapping):
        raise BadEvent(f"`{field}` is no object")
    return value or {}


def rows_of(row: Object, field: str) -> list[Object]:
    """The ``data`` of a list within the object, as far as the event brought it."""
    rows = part_of(row, field).get("data")
    if rows is not None and not (isinstance(rows, list) and all(isinstance(one, Mapping) for one in rows)):
        raise BadEvent(f"`{field}` is no list of objects")
    return rows or []


def amount_of(row: Object, field: str) -> int:
    value = _number(row, field)
    if value is None or not 0 <= value <= MAX_AMOUNT:
        raise BadEvent(f"`{field}` is no amount in minor units")
    return value


def maybe_amount(row: Object, field: str) -> int | None:
    """None where Stripe tells none."""
    return None if row.get(field) is None else amount_of(row, field)


def taken_from_balance(row: Object) -> list[int | str] | None:
    """[amount, currency] of a balance transaction that took money; None where it is an id alone or gave some back."""
    amount = _number(row, "amount")
    return None if amount is None or not -MAX_AMOUNT <= amount < 0 else [-amount, currency_of(row)]


def currency_of(row: Object, field: str = "currency") -> str:
    value = row.get(field)
    if not isinstance(value, str) or len(value) != 3 or not value.isascii() or not value.isalpha():
        raise BadEvent(f"`{field}` is no three-letter code")
    return value.upper()


def moment_of(row: Object, field: str, otherwise: float | None = None) -> float:
    """Seconds since the epoch; ``otherwise`` where Stripe tells none."""
    if row.get(field) is None and otherwise is not None:
        return otherwise
    value = _number(row, field)
    if value is None or not 0 <= value < LAST_MOMENT:
        raise BadEvent(f"`{field}` is no time")
    return value


def id_of(row: Object, field: str, prefix: str = "") -> str:
    value = maybe_id(row, field)
    if value is None or not value.startswith(prefix):
        raise BadEvent(f"`{field}` is no Stripe id" + (f" beginning with {prefix}" if prefix else ""))
    return value


def maybe_id(row: Object, field: str) -> str | None:
    """An id, whether Stripe gives it bare or as the expanded object."""
    value = row.get(field)
    value = value.get("id") if isinstance(value, Mapping) else value
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH or not (value.isascii() and value.isprintable()):
        raise BadEvent(f"`{field}` is no Stripe id")
    return value


def _number(row: Object, field: str) -> int | None:
    value = row.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
