"""Lists: pages, order, and filters of which unknown ones are passed over in silence (docs/facts/kommo-api.md 5)."""

from collections.abc import Callable, Iterable
from math import inf
from typing import Any, TypeVar
from urllib.parse import urlencode

from sandbox.kommo import forms
from sandbox.kommo.api.calls import Call
from sandbox.kommo.problems import Problem
from sandbox.kommo.records import Json

Row = TypeVar("Row")
_LIMIT = 50
_MOST = 250
LAG_SECONDS = 20


def page(
    call: Call, path: str, plural: str, rows: list[Row], show: Callable[[Row], Json], *, counted: bool = False
) -> Json | None:
    """One page of ``rows``, at most 250 whatever ``limit`` says; nothing found is ``None``, which is 204."""
    number = max(1, _int(call.query.get("page"), 1))
    limit = min(_MOST, max(1, _int(call.query.get("limit"), _LIMIT)))
    rows = _indexed(call, rows)
    _check_news(call, rows)
    chosen = rows[(number - 1) * limit : number * limit]
    if not chosen:
        return None
    is_last = number * limit >= len(rows)
    body: Json = {"_page": number, "_links": _links(call, path, number, limit, is_last=is_last)}
    if counted:
        body |= {"_total_items": len(rows), "_page_count": -(-len(rows) // limit)}
    return body | {"_embedded": {plural: [show(row) for row in chosen]}}


def _indexed(call: Call, rows: list[Row]) -> list[Row]:
    if call.switches.reads("list_lag", "none"):
        return rows
    return [row for row in rows if getattr(row, "created_at", 0) <= call.world.clock() - LAG_SECONDS]


def _check_news(call: Call, rows: list[Row]) -> None:
    if call.modified_since is None or call.switches.reads("not_modified", "ignored"):
        return
    if rows and all(getattr(row, "updated_at", inf) <= call.modified_since for row in rows):
        raise Problem(304, "")


def _links(call: Call, path: str, number: int, limit: int, *, is_last: bool) -> Json:
    kept = [pair for pair in forms.flatten(call.query) if pair[0] not in ("page", "limit")]

    def at(page_number: int) -> Json:
        query = urlencode([*kept, ("page", page_number), ("limit", limit)])
        return {"href": f"{call.url}{path}?{query}"}

    links = {"self": at(number)}
    if not is_last:
        links["next"] = at(number + 1)
    if number > 1:
        links["prev"] = at(number - 1)
    return links


def ordered(call: Call, rows: Iterable[Row], names: tuple[str, ...], default: str) -> list[Row]:
    """Sorted by the first known ``order[name]``; other names change nothing."""
    order = call.query.get("order")
    asked = order if isinstance(order, dict) else {}
    name = next((known for known in asked if known in names), default)
    is_descending = asked.get(name) == "desc"
    return sorted(rows, key=lambda row: (getattr(row, name), getattr(row, "id", 0)), reverse=is_descending)


def chooser(call: Call, *, equal: tuple[str, ...] = (), between: tuple[str, ...] = ()) -> Callable[[Any], bool]:
    """Does a row meet the known filters? ``between`` needs [from] or [to]: a bare number finds nothing."""
    nodes = {name: filter_node(call, name) for name in (*equal, *between)}
    named = {name: set(forms.leaves(nodes[name])) for name in equal if nodes[name] is not None}
    bounded = {name: nodes[name] for name in between if nodes[name] is not None}

    def chosen(row: Any) -> bool:
        return all(str(getattr(row, name)) in wanted for name, wanted in named.items()) and all(
            is_between(getattr(row, name), bounds) for name, bounds in bounded.items()
        )

    return chosen


def is_between(value: Any, bounds: Any) -> bool:
    if not isinstance(bounds, dict) or value is None:
        return False
    try:
        low, high = float(bounds.get("from", "-inf")), float(bounds.get("to", "inf"))
        return low <= float(value) <= high
    except ValueError:
        return False


def filter_node(call: Call, name: str) -> Any:
    given = call.query.get("filter")
    return given.get(name) if isinstance(given, dict) else None


def _int(text: Any, otherwise: int) -> int:
    return int(text) if isinstance(text, str) and text.isdigit() else otherwise
