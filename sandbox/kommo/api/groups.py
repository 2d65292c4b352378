"""Groups of custom fields, the tabs of a card (docs/facts/kommo-api.md 8)."""

from typing import Any

from sandbox.kommo.api.calls import Answer, Call, Routes, admins_only
from sandbox.kommo.api.fields import PATH as FIELDS_PATH
from sandbox.kommo.api.shapes import found, missing, refuse_bad, request_id, wrong_types
from sandbox.kommo.problems import ItemError, invalid, problem
from sandbox.kommo.records import FieldGroup, Json

routes = Routes()
PATH = FIELDS_PATH + "/groups"
_KEYS = {"name": str, "sort": int, "fields": list}


@routes.add("GET", PATH)
def list_groups(call: Call) -> Json:
    rows = [group_shape(call, group) for group in sorted(call.account.groups.values(), key=lambda one: one.sort)]
    return _listed(call, rows)


@routes.add("GET", PATH + "/{id}")
def get_group(call: Call) -> Json:
    return group_shape(call, _found(call))


@routes.add("POST", PATH)
@admins_only
def post_groups(call: Call) -> Answer:
    items = call.items()
    refuse_bad(call.switches, items, [missing(item, "name") + wrong_types(item, _KEYS) for item in items])
    rows = [
        group_shape(call, _make(call, item)) | {"request_id": request_id(item, place)}
        for place, item in enumerate(items)
    ]
    return Answer(_listed(call, rows), int(call.switches["field_created_status"]))


@routes.add("PATCH", PATH + "/{id}")
@admins_only
def patch_group(call: Call) -> Json:
    group, item = _found(call), call.item()
    fields = [found(call.account.custom_fields, field_id) for field_id in _listed_fields(item)]
    errors = wrong_types(item, _KEYS) + ([] if all(fields) else [ItemError("fields")])
    refuse_bad(call.switches, [item], [errors])
    group.name = item.get("name") or group.name
    group.sort = item.get("sort") or group.sort
    for field in fields:
        if field:
            field.group_id = group.id
    return group_shape(call, group)


def _listed_fields(item: Json) -> list[Any]:
    fields = item.get("fields")
    return fields if isinstance(fields, list) else []


@routes.add("DELETE", PATH + "/{id}")
@admins_only
def delete_group(call: Call) -> None:
    group = _found(call)
    if group.is_predefined:
        raise invalid(call.switches, [({}, "0", [ItemError("id")])])
    for field in call.account.custom_fields.values():
        field.group_id = None if field.group_id == group.id else field.group_id
    del call.account.groups[group.id]


def group_shape(call: Call, group: FieldGroup) -> Json:
    fields = [field.id for field in call.account.custom_fields.values() if field.group_id == group.id]
    return {
        "id": group.id,
        "name": group.name,
        "is_predefined": group.is_predefined,
        "type": "leads",
        "entity_type": "leads",
        "sort": group.sort,
        "fields": fields,
        "_links": call.href(f"{PATH}/{group.id}"),
    }


def _listed(call: Call, rows: list[Json]) -> Json:
    return {"_total_items": len(rows), "_links": call.href(PATH), "_embedded": {"custom_field_groups": rows}}


def _found(call: Call) -> FieldGroup:
    group = call.account.groups.get(str(call.path["id"]))
    if group is None:
        raise problem(404, "Group not found")
    return group


def _make(call: Call, item: Json) -> FieldGroup:
    ids = call.world.ids
    is_number = call.switches.reads("group_id", "leads_number")
    group_id = f"leads_{ids.next('group')}" if is_number else ids.uuid()
    group = FieldGroup(group_id, item["name"], item.get("sort") or len(call.account.groups) + 1)
    call.account.groups[group_id] = group
    return group
