"""Values of custom fields: what may be written, what is kept, what is read back (docs/facts/kommo-api.md 7.3)."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.problems import ItemError, wrong_type
from sandbox.kommo.records import Field, Json, Option

TEXTS = ("text", "textarea", "streetaddress", "tracking_data", "url", "smart_address")
CHOICES = ("select", "radiobutton", "multiselect")
_LONGEST = {"text": 255, "url": 2000}


class Unfit(ValueError):
    """A value that the field does not take."""

    def __init__(self, error: ItemError) -> None:
        super().__init__(error)
        self.error = error


def kept(account: Account, field: Field, given: Any, path: str) -> list[Json]:
    """The values to keep for what was sent; an empty list clears. Raises ``Unfit``."""
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Unfit(wrong_type(f"{path}.values", "array"))
    if len(given) > 1 and field.type not in ("multiselect", "multitext"):
        raise Unfit(ItemError(f"{path}.values", "InvalidCount", "This collection should contain 1 element or less."))
    return [_kept_one(account, field, one, f"{path}.values.{place}") for place, one in enumerate(given)]


def _kept_one(account: Account, field: Field, given: Json, path: str) -> Json:
    if field.type in CHOICES:
        return {"enum_id": _option(field, given, path).id}
    if "value" not in given:
        raise Unfit(ItemError(f"{path}.value", "FieldMissing", "This field is missing."))
    value = given["value"]
    if field.type == "multitext":
        kind = _option(field, {"enum_code": given.get("enum_code", "WORK")}, path)
        return {"value": _text(account, field, value, path), "enum_id": kind.id}
    return {"value": _plain(account, field, value, path)}


def _plain(account: Account, field: Field, value: Any, path: str) -> Any:
    if field.type == "checkbox":
        if not isinstance(value, bool):
            raise Unfit(wrong_type(f"{path}.value", "bool"))
        return value
    if field.type in ("numeric", "monetary"):
        return _number(account, field, value, path)
    if field.type in ("date", "birthday", "date_time"):
        return _moment(account, field, value, path)
    if field.type in TEXTS:
        return _text(account, field, value, path)
    raise Unfit(ItemError(f"{path}.value", "NotSupported", f"Values of {field.type} are not played here."))


def _text(account: Account, field: Field, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise Unfit(wrong_type(f"{path}.value", "string"))
    most = _LONGEST.get(field.type, len(value))
    if len(value) > most and account.switches.reads("text_limit", "refused"):
        raise Unfit(ItemError(f"{path}.value", "TooLong", f"This value should have {most} characters or less."))
    return value if account.switches.reads("text_limit", "none") else value[:most]


def _number(account: Account, field: Field, value: Any, path: str) -> str:
    """Numbers come back as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit(wrong_type(f"{path}.value", "numeric"))
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise Unfit(wrong_type(f"{path}.value", "numeric")) from error
    if not number.is_finite():
        raise Unfit(wrong_type(f"{path}.value", "numeric"))
    if field.type == "monetary" and account.switches.reads("monetary_decimals", "rounded"):
        number = Decimal(int(number))
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(account: Account, field: Field, value: Any, path: str) -> int:
    """``date`` and ``birthday`` fall back to midnight in the account's time zone, ``date_time`` stays."""
    zone = ZoneInfo(account.timezone)
    seconds = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str):
        seconds = _parsed(account, value, zone)
    if seconds is None:
        raise Unfit(wrong_type(f"{path}.value", "int"))
    if field.type == "date_time":
        return seconds
    day = datetime.fromtimestamp(seconds, zone)
    return int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def _parsed(account: Account, text: str, zone: ZoneInfo) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        is_day = len(text) == len("2026-11-23") and account.switches.reads("plain_date", "accepted")
        return int(moment.replace(tzinfo=zone).timestamp()) if is_day else None
    return int(moment.timestamp())


def _option(field: Field, given: Json, path: str) -> Option:
    if given.get("enum_code", "") is None:
        raise Unfit(ItemError(f"{path}.enum_code", "FieldNotExpected", "This field was not expected."))
    for key, name in (("enum_id", "id"), ("enum_code", "code"), ("value", "value")):
        if key in given:
            found = next((one for one in field.enums if getattr(one, name) == given[key]), None)
            if found:
                return found
            raise Unfit(ItemError(f"{path}.{key}"))
    raise Unfit(ItemError(f"{path}.value", "FieldMissing", "This field is missing."))


def shown(account: Account, held: dict[int, list[Json]]) -> list[Json] | None:
    """``custom_fields_values`` as they are read; fields without a value are not there, none at all is ``None``."""
    rows = [_row(account.custom_fields[field_id], values) for field_id, values in held.items()]
    return [row for row in rows if row["values"]] or None


def _row(field: Field, values: list[Json]) -> Json:
    options = {option.id: option for option in field.enums}
    visible = [value for value in values if "enum_id" not in value or value["enum_id"] in options]
    return {
        "field_id": field.id,
        "field_name": field.name,
        "field_code": field.code,
        "field_type": field.type,
        "values": [_shown_one(value, options) for value in visible],
    }


def _shown_one(value: Json, options: dict[int, Option]) -> Json:
    if "enum_id" not in value:
        return dict(value)
    option = options[value["enum_id"]]
    return {"value": value.get("value", option.value), "enum_id": option.id, "enum_code": option.code}
