"""Custom fields of leads (docs/facts/kommo-api.md 8)."""

from typing import Any

from sandbox.kommo.api.calls import Answer, Call, Routes, admins_only
from sandbox.kommo.api.listing import chooser, ordered, page
from sandbox.kommo.api.shapes import found, missing, refuse_bad, request_id, wrong_types
from sandbox.kommo.problems import ItemError, problem, wrong_type
from sandbox.kommo.records import Field, Json, Option

routes = Routes()
PATH = "/api/v4/leads/custom_fields"

_KEYS = {
    "name": str,
    "type": str,
    "code": str,
    "sort": int,
    "group_id": str,
    "is_api_only": bool,
    "required_statuses": list,
    "enums": list,
    "currency": str,
    "remind": str,
}
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
    refuse_bad(call.switches, items, [_errors(call, item, items[:place]) for place, item in enumerate(items)])
    rows = [field_shape(call, _make(call, item)) for item in items]
    named = [
        row | {"request_id": request_id(item, place)} for place, (row, item) in enumerate(zip(rows, items, strict=True))
    ]
    body = {"_total_items": len(named), "_links": call.href(PATH), "_embedded": {"custom_fields": named}}
    return Answer(body, int(call.switches["field_created_status"]))


@routes.add("PATCH", PATH + "/{id:int}")
@admins_only
def patch_field(call: Call) -> Json:
    field, item = _found(call), call.item()
    refuse_bad(call.switches, [item], [_change_errors(call, field, item)])
    return _patched(call, field, item)


@routes.add("PATCH", PATH)
@admins_only
def patch_fields(call: Call) -> Json:
    items = call.items()
    fields = [found(call.account.custom_fields, item.get("id")) for item in items]
    pairs = list(zip(items, fields, strict=True))
    refuse_bad(
        call.switches,
        items,
        [_change_errors(call, field, item) if field else [ItemError("id")] for item, field in pairs],
    )
    rows = [_patched(call, field, item) for item, field in pairs if field]
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
    errors = missing(item, "name", "type") + _patch_errors(call, item)
    if item.get("type") is not None and item["type"] not in _offered(call):
        errors.append(ItemError("type"))
    code = item.get("code")
    taken = [one.code for one in call.account.custom_fields.values() if one.entity == "leads"]
    if (isinstance(code, str) and (_cased(call, code) in taken or code in [one.get("code") for one in earlier])) or (
        code is not None and call.switches.reads("field_code", "refused")
    ):
        errors.append(ItemError("code"))
    if item.get("is_api_only") and call.switches.reads("api_only_fields", "refused"):
        errors.append(ItemError("is_api_only"))
    return errors


def _change_errors(call: Call, field: Field, item: Json) -> list[ItemError]:
    """Options come with the field's type: nobody was seen to send them without. A type can't be changed."""
    errors = missing(item, "type") if "enums" in item else []
    if item.get("type", field.type) != field.type:
        errors.append(ItemError("type"))
    return errors + _patch_errors(call, item)


def _patch_errors(call: Call, item: Json) -> list[ItemError]:
    errors = wrong_types(item, _KEYS)
    group_id = item.get("group_id")
    if isinstance(group_id, str) and group_id not in call.account.groups:
        errors.append(ItemError("group_id"))
    return errors or _option_errors(item.get("enums") or [])


def _option_errors(enums: list[Any]) -> list[ItemError]:
    errors = []
    for place, one in enumerate(enums):
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            errors += wrong_types(one, {"id": int, "sort": int, "code": str}, f"enums.{place}.")
        else:
            errors.append(wrong_type(f"enums.{place}.value", "string"))
    return errors


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
    listed = [_option(call, known.get(one.get("id") or 0), one, place) for place, one in enumerate(given, 1)]
    omitted = [option for option in field.enums if option not in listed]
    return listed if call.switches.reads("omitted_options", "deleted") else [*listed, *omitted]


def _option(call: Call, known: Option | None, given: Json, place: int) -> Option:
    sort = given.get("sort") or place
    if known is None:
        return Option(call.world.ids.next("option"), given["value"], sort, given.get("code"))
    known.value, known.sort = given["value"], sort
    return known
