"""Custom fields of leads (facts/kommo-api.md, section 8)."""

from typing import Any

from backend.sandbox.kommo.api.calls import Answer, Call, Routes, admins_only
from backend.sandbox.kommo.api.listing import chooser, ordered, page
from backend.sandbox.kommo.problems import ItemError, invalid, problem, wrong_type
from backend.sandbox.kommo.records import Field, Json, Option

routes = Routes()
PATH = "/api/v4/leads/custom_fields"

_TYPES = (
    "text numeric checkbox select multiselect date url textarea radiobutton streetaddress smart_address "
    "birthday date_time tracking_data"
).split()


@routes.add("GET", PATH)
def list_fields(call: Call) -> Json | None:
    meets = chooser(call, equal=("type",))
    fields = [one for one in call.account.custom_fields.values() if one.entity == "leads" and meets(one)]
    rows = ordered(call, fields, ("sort", "id"), "sort")
    return page(call, PATH, "custom_fields", rows, lambda row: field_shape(call, row), counted=True)


@routes.add("GET", PATH + "/{id:int}")
def get_field(call: Call) -> Json:
    return field_shape(call, _found(call))


@routes.add("POST", PATH)
@admins_only
def post_fields(call: Call) -> Answer:
    items = call.items()
    refused = [
        (item, str(item.get("request_id", place)), errors)
        for place, item in enumerate(items)
        if (errors := _errors(call, item, items[:place]))
    ]
    if refused:
        raise invalid(call.switches, refused)
    rows = [field_shape(call, _make(call, item)) for item in items]
    named = [
        row | {"request_id": str(item.get("request_id", place))}
        for place, (row, item) in enumerate(zip(rows, items, strict=True))
    ]
    body = {"_total_items": len(named), "_links": call.href(PATH), "_embedded": {"custom_fields": named}}
    return Answer(body, int(call.switches["field_created_status"]))


@routes.add("PATCH", PATH + "/{id:int}")
@admins_only
def patch_field(call: Call) -> Json:
    return _patched(call, _found(call), call.item())


@routes.add("PATCH", PATH)
@admins_only
def patch_fields(call: Call) -> Json:
    items = call.items()
    unknown = [
        (item, str(place), [ItemError("id")])
        for place, item in enumerate(items)
        if item.get("id") not in call.account.custom_fields
    ]
    if unknown:
        raise invalid(call.switches, unknown)
    rows = [_patched(call, call.account.custom_fields[item["id"]], item) for item in items]
    return {"_total_items": len(rows), "_links": call.href(PATH), "_embedded": {"custom_fields": rows}}


@routes.add("DELETE", PATH + "/{id:int}")
@admins_only
def delete_field(call: Call) -> None:
    call.account.delete_field(_found(call).id)


def field_shape(call: Call, field: Field) -> Json:
    return {
        "id": field.id,
        "name": field.name,
        "type": field.type,
        "account_id": call.account.id,
        "code": field.code,
        "sort": field.sort,
        "is_api_only": field.is_api_only,
        "enums": [_option_shape(option) for option in field.enums] or None,
        "group_id": field.group_id,
        "required_statuses": field.required_statuses,
        "is_deletable": not field.is_predefined,
        "is_predefined": field.is_predefined,
        "entity_type": field.entity,
        "tracking_callback": None,
        "remind": field.remind,
        "triggers": [],
        "currency": field.currency,
        "hidden_statuses": [],
        "chained_lists": None,
        "is_computed": False,
        "settings": None,
        "_links": call.href(f"{PATH}/{field.id}"),
    }


def _option_shape(option: Option) -> Json:
    return {"id": option.id, "value": option.value, "sort": option.sort, "code": option.code}


def _found(call: Call) -> Field:
    field = call.account.custom_fields.get(call.path["id"])
    if field is None or field.entity != "leads":
        raise problem(404, "Custom field not found")
    return field


def _errors(call: Call, item: Json, earlier: list[Json]) -> list[ItemError]:
    errors = [ItemError(key, "FieldMissing", "This field is missing.") for key in ("name", "type") if not item.get(key)]
    if item.get("type") and item["type"] not in _offered(call):
        errors.append(ItemError("type"))
    code = item.get("code")
    taken = {one.code for one in call.account.custom_fields.values() if one.entity == "leads"}
    if code and (_cased(call, code) in taken or code in [one.get("code") for one in earlier]):
        errors.append(ItemError("code"))
    if item.get("is_api_only") and call.switches.reads("api_only_fields", "refused"):
        errors.append(ItemError("is_api_only"))
    if item.get("group_id") and item["group_id"] not in call.account.groups:
        errors.append(ItemError("group_id"))
    return errors + _option_errors(item)


def _option_errors(item: Json) -> list[ItemError]:
    enums = item.get("enums")
    if enums is None:
        return []
    if not isinstance(enums, list):
        return [wrong_type("enums", "array")]
    return [
        wrong_type(f"enums.{place}.value", "string")
        for place, one in enumerate(enums)
        if not isinstance(one, dict) or not isinstance(one.get("value"), str)
    ]


def _offered(call: Call) -> list[str]:
    return [*_TYPES, "monetary"] if call.switches.reads("monetary", "offered") else _TYPES


def _cased(call: Call, code: str) -> str:
    return code.upper() if call.switches.reads("field_code_case", "upper") else code


def _make(call: Call, item: Json) -> Field:
    field = call.account.add_field(item["name"], item["type"])
    field.code = _cased(call, item["code"]) if item.get("code") else None
    _set(field, item)
    field.is_api_only = bool(item.get("is_api_only"))
    field.currency = item.get("currency")
    field.enums = _options(call, field, item.get("enums") or [])
    return field


def _patched(call: Call, field: Field, item: Json) -> Json:
    errors = _option_errors(item)
    if errors:
        raise invalid(call.switches, [(item, "0", errors)])
    if item.get("group_id") and item["group_id"] not in call.account.groups:
        raise invalid(call.switches, [(item, "0", [ItemError("group_id")])])
    _set(field, item)
    if "enums" in item:
        field.enums = _options(call, field, item["enums"] or [])
    return field_shape(call, field)


def _set(field: Field, item: Json) -> None:
    for key in ("name", "sort", "group_id", "required_statuses", "remind"):
        if item.get(key) is not None:
            setattr(field, key, item[key])


def _options(call: Call, field: Field, given: list[Json]) -> list[Option]:
    """The whole list as sent: known ids keep their option, the others are new; what is left out goes or stays."""
    known = {option.id: option for option in field.enums}
    listed = [_option(call, known.get(one.get("id", 0)), one, place) for place, one in enumerate(given, 1)]
    omitted = [option for option in field.enums if option not in listed]
    return listed if call.switches.reads("omitted_options", "deleted") else [*listed, *omitted]


def _option(call: Call, known: Option | None, given: Json, place: int) -> Option:
    if known is None:
        option_id = call.world.ids.next("option")
        return Option(option_id, given["value"], _sort(given, place), given.get("code"))
    known.value, known.sort = given["value"], _sort(given, place)
    return known


def _sort(given: Json, place: int) -> int:
    sort: Any = given.get("sort", place)
    return int(sort)
