"""Notes of leads (docs/facts/kommo-api.md 9)."""

from typing import Any

from sandbox.kommo.api.calls import Call, Routes
from sandbox.kommo.api.leads.reading import as_read
from sandbox.kommo.api.listing import chooser, ordered, page
from sandbox.kommo.api.shapes import found, missing, refuse_bad, request_id, wrong_types
from sandbox.kommo.problems import ItemError, deleted, problem, wrong_type
from sandbox.kommo.records import ROBOT, BotStart, Json, Note

routes = Routes()
PATH = "/api/v4/leads/notes"
_LONGEST = 4096

_REQUIRED = {
    "common": ("text",),
    "service_message": ("service", "text"),
    "extended_service_message": ("service", "text"),
    "call_in": ("uniq", "duration", "source", "link", "phone"),
    "call_out": ("uniq", "duration", "source", "link", "phone"),
    "geolocation": ("text", "address", "longitude", "latitude"),
    "sms_in": ("text", "phone"),
    "sms_out": ("text", "phone"),
    "attachment": ("file_uuid", "file_name"),
}
_AMOCRM_ONLY = {
    "invoice_paid": ("text", "service", "icon_url"),
    "bill_paid": ("text", "service", "icon_url"),
    "message_cashier": ("status", "text"),
}


@routes.add("POST", PATH)
def post_notes(call: Call) -> Json:
    return _post(call, [(item, item.get("entity_id")) for item in call.items()])


@routes.add("POST", "/api/v4/leads/{id:int}/notes")
def post_lead_notes(call: Call) -> Json:
    return _post(call, [(item, call.path["id"]) for item in call.items()])


@routes.add("GET", PATH)
def list_notes(call: Call) -> Json | None:
    return _list(call, PATH, list(call.account.notes.values()))


@routes.add("GET", "/api/v4/leads/{id:int}/notes")
def list_lead_notes(call: Call) -> Json | None:
    return _list(call, f"/api/v4/leads/{call.path['id']}/notes", call.account.notes_of(call.path["id"]))


@routes.add("GET", PATH + "/{note_id:int}")
@routes.add("GET", "/api/v4/leads/{id:int}/notes/{note_id:int}")
def get_note(call: Call) -> Json | None:
    note = call.account.notes.get(call.path["note_id"])
    return note_shape(call, note) if note else None


@routes.add("PATCH", PATH + "/{note_id:int}")
@routes.add("PATCH", "/api/v4/leads/{id:int}/notes/{note_id:int}")
def patch_note(call: Call) -> Json:
    note, item = _found(call), call.item()
    errors = _errors(call, {"note_type": note.note_type, "params": note.params} | item)
    refuse_bad(call.switches, [item], [errors])
    note.params = item.get("params", note.params)
    note.updated_at = call.account.now
    links = call.href(f"{PATH}/{note.id}")
    return {"id": note.id, "entity_id": note.entity_id, "updated_at": note.updated_at, "_links": links}


@routes.add("POST", "/api/v4/leads/{id:int}/notes/{note_id:int}/pin")
def pin_note(call: Call) -> None:
    _found(call).is_pinned = True


@routes.add("POST", "/api/v4/leads/{id:int}/notes/{note_id:int}/unpin")
def unpin_note(call: Call) -> None:
    _found(call).is_pinned = False


def note_shape(call: Call, note: Note) -> Json:
    body: Json = {
        "id": note.id,
        "entity_id": note.entity_id,
        "created_by": note.created_by,
        "updated_by": note.created_by,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
        "responsible_user_id": note.responsible_user_id,
        "group_id": 0,
        "note_type": note.note_type,
        "params": _params_as_read(call, note),
        "account_id": call.account.id,
        "_links": call.href(f"/api/v4/leads/{note.entity_id}/notes/{note.id}"),
    }
    return body | ({"is_pinned": note.is_pinned} if "is_pinned" in call.withs() else {})


def _params_as_read(call: Call, note: Note) -> Json:
    return note.params | ({"text": as_read(note.text, call.switches)} if "text" in note.params else {})


def _found(call: Call) -> Note:
    note = call.account.notes.get(call.path["note_id"])
    if note is None:
        raise problem(404, "Note not found")
    return note


def _list(call: Call, path: str, notes: list[Note]) -> Json | None:
    meets = chooser(call, equal=("id", "entity_id", "note_type"), between=("updated_at",))
    rows = ordered(call, [note for note in notes if meets(note)], ("updated_at", "id"), "updated_at")
    return page(call, path, "notes", rows, lambda note: note_shape(call, note))


def _post(call: Call, items: list[tuple[Json, Any]]) -> Json:
    refused = _check(call, items)
    rows = []
    for place, (item, lead_id) in enumerate(items):
        if refused[place]:
            continue
        note = _make(call, item, lead_id)
        links = call.href(f"/api/v4/leads/{lead_id}/notes/{note.id}")
        rows.append({"id": note.id, "entity_id": lead_id, "request_id": request_id(item, place), "_links": links})
    return {"_links": call.href(PATH), "_embedded": {"notes": rows}}


def _check(call: Call, items: list[tuple[Json, Any]]) -> list[list[ItemError]]:
    """The errors of each item, where the good ones are made all the same; else the whole is refused."""
    leads = [found(call.account.leads, lead_id) for _, lead_id in items]
    partial = call.switches.reads("batch", "partial") and any(lead and not lead.is_deleted for lead in leads)
    if any(lead and lead.is_deleted for lead in leads) and not partial:
        raise deleted()
    pairs = zip(items, leads, strict=True)
    errors = [
        _errors(call, item) if lead and not lead.is_deleted else [ItemError("entity_id")] for (item, _), lead in pairs
    ]
    if all(errors) or not call.switches.reads("batch", "partial"):
        refuse_bad(call.switches, [item for item, _ in items], errors)
    return errors


def _errors(call: Call, item: Json) -> list[ItemError]:
    required = _types(call).get(str(item.get("note_type")))
    if required is None:
        return [ItemError("note_type")]
    params = item.get("params")
    if not isinstance(params, dict):
        return [wrong_type("params", "array")]
    types = {"created_at": int, "is_need_to_trigger_digital_pipeline": bool}
    return wrong_types(item, types) + _author_errors(call, item) + _params_errors(call, params, required)


def _author_errors(call: Call, item: Json) -> list[ItemError]:
    named = [key for key in ("created_by", "responsible_user_id") if item.get(key, ROBOT) != ROBOT]
    return [ItemError(key) for key in named if found(call.account.users, item[key]) is None]


def _params_errors(call: Call, params: Json, required: tuple[str, ...]) -> list[ItemError]:
    errors = [ItemError(f"params.{one.path}", one.code, one.detail) for one in missing(params, *required)]
    text = params.get("text", "")
    if not isinstance(text, str):
        errors.append(wrong_type("params.text", "string"))
    elif len(text) > _LONGEST and call.switches.reads("note_limit", "4096"):
        errors.append(ItemError("params.text", "TooLong", f"This value should have {_LONGEST} characters or less."))
    return errors


def _types(call: Call) -> dict[str, tuple[str, ...]]:
    types = dict(_REQUIRED)
    if call.switches.reads("extended_service_message", "refused"):
        del types["extended_service_message"]
    return types | (_AMOCRM_ONLY if call.switches.reads("amocrm_note_types", "accepted") else {})


def _make(call: Call, item: Json, lead_id: int) -> Note:
    account = call.account
    author = item.get("created_by", call.author)
    responsible = item.get("responsible_user_id", call.user.id)
    note = Note(
        account.setting.ids.next("note"),
        lead_id,
        item["note_type"],
        item["params"],
        author,
        item.get("created_at") or account.now,
        account.now,
        responsible,
    )
    account.notes[note.id] = note
    shown = {"note": {"id": note.id}}
    account.record(f"{item['note_type']}_note_added", lead_id, author, after=[shown])
    starts = item.get("is_need_to_trigger_digital_pipeline", call.switches.reads("note_triggers", "true"))
    if starts:
        account.bot_starts.append(BotStart(lead_id, account.now, "note"))
    return note
