"""A wanted value beside the one that is there, by the type of field that holds it: ours, or one that was adopted."""

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
    """Whether the field shows what is wanted already; numbers by value, days by the account's calendar."""
    if meta.get("enums"):
        return bool(there.enum_id == meta["enums"].get(str(wanted)))
    if meta["type"] in NUMBERS:
        return _number(there.value) == _number(wanted)
    if meta["type"] == "date":
        return _day(there.value, zone) == _day(wanted, zone)
    return str(there.value) == _as_text(wanted)


def takes(meta: Mapping[str, Any], wanted: str | int | None) -> bool:
    """A list takes what it has an option for."""
    return wanted is None or not meta.get("enums") or str(wanted) in meta["enums"]


def as_written(meta: Mapping[str, Any], wanted: str | int, zone: ZoneInfo) -> Any:
    """Midday for a plain date: Kommo moves it to midnight of the account's zone, and noon stays on its day."""
    if meta.get("enums"):
        return EnumId(int(meta["enums"][str(wanted)]))
    if meta["type"] == "date":
        return int(datetime.fromtimestamp(int(wanted), zone).replace(hour=MIDDAY, minute=0, second=0).timestamp())
    return wanted if meta["type"] in NUMBERS else _as_text(wanted)


def _as_text(wanted: str | int) -> str:
    """A text field that was adopted for the status shows the label, not our word for it."""
    return STATES.get(str(wanted), str(wanted))


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _day(value: object, zone: ZoneInfo) -> str | None:
    number = _number(value)
    return None if number is None else datetime.fromtimestamp(float(number), zone).date().isoformat()
