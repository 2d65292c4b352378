"""Merges of deals in Kommo's events feed. Kommo does not document their shape, so every shape is accepted."""

from collections.abc import Iterator
from typing import Any

from backend.core.ids import usable_number
from backend.kommo_api.scalars import Row, whole_or
from backend.kommo_api.values import Merge

OF_DEALS = ("lead", "leads", "")
OTHERS = ("account", "catalog", "company", "contact", "customer", "pipeline", "status", "tag", "task", "user")
"""Prefixes of keys whose values are ids of other entities."""


def merge(given: Row) -> Merge:
    """The merge in an ``entity_merged`` event (docs/facts/kommo-automation.md 7). Empty for contacts and companies."""
    at = float(whole_or(given.get("created_at"), 0))
    if str(given.get("entity_type") or "") not in OF_DEALS:
        return Merge(at, frozenset())
    named = [*_ids(given.get("entity_id")), *_ids(given.get("value_before")), *_ids(given.get("value_after"))]
    return Merge(at, frozenset(named))


def _ids(given: Any) -> Iterator[int]:
    """Every positive number, in lists and objects of any depth, except under a key of another entity."""
    if isinstance(given, dict):
        for name, value in given.items():
            if not str(name).startswith(OTHERS):
                yield from _ids(value)
    elif isinstance(given, list):
        for one in given:
            yield from _ids(one)
    elif not isinstance(given, bool) and (number := usable_number(str(given))):
        yield number
