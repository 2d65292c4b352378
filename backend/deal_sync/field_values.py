"""Compares and converts values by the type of the field that holds them: our own field or an adopted one.

``meta`` is the ``FieldEntry`` of the field; types and formats: docs/facts/kommo-api.md 7.3.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from backend.kommo_api.deal_fields import STATES
from backend.kommo_api.values import EnumId, FieldValue

MIDDAY = 12
NUMBERS = frozenset(("numeric", "monetary", "date_time"))


def same(meta: Mapping[str, Any], wanted: str | int, there: FieldValue, zone: ZoneInfo) -> bool:
    """True if the field already shows ``wanted``, so that it need not be written.

    Lists compare by option id, numbers by value, dates by the day in ``zone`` (the account's), other types as text.
    """
    if meta.get("enums"):
        return bool(there.enum_id == meta["enums"].get(str(wanted)))
    if meta["type"] in NUMBERS:
        return _number(there.value) == _number(wanted)
    if meta["type"] == "date":
        return _day(there.value, zone) == _day(wanted, zone)
    return str(there.value) == _as_text(wanted)


def takes(meta: Mapping[str, Any], wanted: str | int | None) -> bool:
    """True if the field can hold ``wanted``; a list only takes a value that it has an option for."""
    return wanted is None or not meta.get("enums") or str(wanted) in meta["enums"]


def as_written(meta: Mapping[str, Any], wanted: str | int, zone: ZoneInfo) -> Any:
    """The value to send to Kommo, by the field's type; dates in Unix seconds.

    A plain date is sent as midday: Kommo moves it to midnight of the account's zone, and noon stays on its day
    (docs/facts/kommo-api.md 7.3).
    """
    if meta.get("enums"):
        return EnumId(int(meta["enums"][str(wanted)]))
    if meta["type"] == "date":
        return int(datetime.fromtimestamp(int(wanted), zone).replace(hour=MIDDAY, minute=0, second=0).timestamp())
    return wanted if meta["type"] in NUMBERS else _as_text(wanted)


def _as_text(wanted: str | int) -> str:
    """The text for an adopted text field: the label of a state, such as "Partially paid"."""
    return STATES.get(str(wanted), str(wanted))


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _day(value: object, zone: ZoneInfo) -> str | None:
    number = _number(value)
    return None if number is None else datetime.fromtimestamp(float(number), zone).date().isoformat()
