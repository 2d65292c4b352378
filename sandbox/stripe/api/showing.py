"""How an answer is shown: in the caller's API version, with what it asked to expand, in pages."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from sandbox.stripe.api.call import Call
from sandbox.stripe.delivery.events import payments_list
from sandbox.stripe.objects.legacy import as_legacy
from sandbox.stripe.objects.refusals import Refusal, missing
from sandbox.stripe.objects.schemas import Obj, family_of
from sandbox.stripe.objects.store import ObjectStore

DEEPEST = 4


def show(call: Call, obj: Obj) -> Obj:
    """One object or a list page, in the version of the call, expanded."""
    if obj.get("object") == "list":
        shown = obj | {"data": [_version(call, each) for each in obj["data"]]}
    else:
        shown = _version(call, obj)
    for path in call.params.get("expand", ()):
        parts = path.split(".")
        if len(parts) > DEEPEST + 1:
            raise Refusal(f"You cannot expand more than {DEEPEST} levels: {path}", param="expand")
        _expand(call, shown, parts, path)
    return shown


def _version(call: Call, obj: Obj) -> Obj:
    if "object" not in obj or obj["object"] in ("event", "list"):
        return deepcopy(obj)
    return as_legacy(call.shelf, obj) if family_of(call.version) == "legacy" else deepcopy(obj)


def _expand(call: Call, shown: Obj, parts: list[str], path: str) -> None:
    name, rest = parts[0], parts[1:]
    if name == "data" and shown.get("object") == "list":
        for each in shown["data"]:
            _expand(call, each, rest, path)
        return
    shown[name] = _expanded(call, shown, name, path)
    if rest and isinstance(shown[name], dict):
        _expand(call, shown[name], rest, path)


def _expanded(call: Call, shown: Obj, name: str, path: str) -> Any:
    hidden = HIDDEN.get((shown.get("object", ""), name))
    if hidden is not None:
        return hidden(call, shown, path)
    if name not in shown:
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    value = shown[name]
    if not isinstance(value, str):
        return value
    found = call.shelf.any_of(value)
    if found is None:
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    if name == "latest_charge":
        call.need("rak_charge_read")
    return _version(call, found)


def _session_lines(call: Call, shown: Obj, _path: str) -> Obj:
    url = f"/v1/checkout/sessions/{shown['id']}/line_items"
    return {"object": "list", "data": deepcopy(call.shelf.lines[shown["id"]]), "has_more": False, "url": url}


def _invoice_payments(call: Call, shown: Obj, path: str) -> Obj:
    needed = call.shelf.ground.switches["expand_payments_needs"]
    if needed != "none":
        call.need(f"{needed}_read")
    if family_of(call.version) == "legacy" or _refused_on_session(call, path):
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    return payments_list(call.shelf, shown["id"])


def _refused_on_session(call: Call, path: str) -> bool:
    return path.startswith("invoice.") and call.shelf.ground.switches["expand_invoice_payments"] == "refused"


def _charge_refunds(call: Call, shown: Obj, _path: str) -> Obj:
    data = [deepcopy(each) for each in call.shelf.newest("refund", charge=shown["id"])]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/charges/{shown['id']}/refunds"}


HIDDEN: dict[tuple[str, str], Callable[[Call, Obj, str], Obj]] = {
    ("checkout.session", "line_items"): _session_lines,
    ("invoice", "payments"): _invoice_payments,
    ("charge", "refunds"): _charge_refunds,
}
"""Lists that only show when they are asked for."""


def page(call: Call, found: Iterable[Obj]) -> Obj:
    """A list answer of ``found`` (newest first): ``limit`` of 1 to 100, cursors, and ``created`` honoured."""
    limit = call.params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal(
            "Invalid integer: limit must be between 1 and 100", code="parameter_invalid_integer", param="limit"
        )
    rows = [row for row in found if _created_fits(call.params.get("created"), row["created"])]
    if "ending_before" in call.params:
        end = _position(rows, call.params["ending_before"], "ending_before")
        begin = max(0, end - limit)
        return _list(call, rows[begin:end], begin > 0)
    begin = (
        _position(rows, call.params["starting_after"], "starting_after") + 1 if "starting_after" in call.params else 0
    )
    return _list(call, rows[begin : begin + limit], len(rows) > begin + limit)


def _list(call: Call, data: list[Obj], has_more: bool) -> Obj:
    return {"object": "list", "data": data, "has_more": has_more, "url": call.path}


def _position(rows: list[Obj], id: str, param: str) -> int:
    place = next((number for number, row in enumerate(rows) if row["id"] == id), None)
    if place is None:
        raise missing("object", id, param)
    return place


def _created_fits(asked: Any, created: int) -> bool:
    if asked is None or isinstance(asked, int):
        return asked in (None, created)
    compare = {"gt": created.__gt__, "gte": created.__ge__, "lt": created.__lt__, "lte": created.__le__}
    return all(compare[name](bound) for name, bound in asked.items())


def by_fields(*names: str) -> Callable[[Call, str, ObjectStore], Iterable[Obj]]:
    """Objects of a kind, filtered by the parameters of these names."""

    def found(call: Call, kind: str, shelf: ObjectStore) -> Iterable[Obj]:
        return shelf.newest(kind, **{name: call.params[name] for name in names if name in call.params})

    return found
