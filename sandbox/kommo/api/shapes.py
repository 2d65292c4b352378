"""Types of the keys of an item: what is checked before anything else is."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sandbox.kommo.problems import ItemError, invalid, wrong_type
from sandbox.kommo.records import Json
from sandbox.kommo.switches import Switches

Row = TypeVar("Row")

_NAMES: dict[type, str] = {int: "int", str: "string", bool: "bool", list: "array", dict: "array"}


def wrong_types(item: Json, types: Mapping[str, type], prefix: str = "") -> list[ItemError]:
    """One error for each known key whose value is neither ``null`` nor of its type."""
    return [
        wrong_type(f"{prefix}{key}", _NAMES[kind])
        for key, kind in types.items()
        if item.get(key) is not None and not _is(item[key], kind)
    ]


def missing(item: Json, *keys: str) -> list[ItemError]:
    return [ItemError(key, "FieldMissing", "This field is missing.") for key in keys if item.get(key) is None]


def found(table: Mapping[int, Row], key: Any) -> Row | None:
    """The row of this id; whatever is no number is nobody's id."""
    return table.get(key) if _is(key, int) else None


def request_id(item: Json, place: int) -> str:
    """What the caller sent, else the item's place."""
    return str(item.get("request_id", place))


def refuse_bad(switches: Switches, items: list[Json], errors: list[list[ItemError]]) -> None:
    """The whole request is refused when any item has errors."""
    pairs = enumerate(zip(items, errors, strict=True))
    refused = [(item, request_id(item, place), found) for place, (item, found) in pairs if found]
    if refused:
        raise invalid(switches, refused)


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
