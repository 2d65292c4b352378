"""Builds the bodies of Kommo's writes. Only changed keys are sent: Kommo refuses a write that repeats a user who left.

Shapes: docs/facts/kommo-api.md 7 to 9.
"""

from collections.abc import Mapping
from typing import Any

from backend.kommo_api.transport import Json
from backend.kommo_api.values import EnumId, FieldOption, LeadChange, NewField, NewLead, NewNote

NOTE_TYPES = ("extended_service_message", "common")
"""The note type we prefer, and the fallback for an account that refuses it (docs/facts/kommo-api.md 9)."""


def lead_change(change: LeadChange) -> Json:
    """One item of a PATCH of deals; absent keys stay unchanged in Kommo."""
    return {"id": change.lead_id, "request_id": change.request_id} | _given(
        pipeline_id=change.pipeline_id,
        status_id=change.status_id,
        custom_fields_values=_fields(change.fields),
        tags_to_add=_tags(change.tags_added),
        tags_to_delete=_tags(change.tags_removed),
    )


def _tags(names: tuple[str, ...]) -> list[Json] | None:
    return [{"name": name} for name in names] or None


def new_lead(lead: NewLead) -> Json:
    """One item of a POST of deals."""
    contacts = [{"id": lead.contact_id, "is_main": True}] if lead.contact_id is not None else None
    return {"name": lead.name, "request_id": lead.request_id} | _given(
        price=lead.price,
        pipeline_id=lead.pipeline_id,
        status_id=lead.status_id,
        responsible_user_id=lead.responsible_user_id,
        custom_fields_values=_fields(lead.fields),
        _embedded={"contacts": contacts} if contacts else None,
    )


def _fields(fields: Mapping[int, Any]) -> list[Json] | None:
    return [{"field_id": field_id, "values": _values(value)} for field_id, value in fields.items()] or None


def _values(value: Any) -> list[Json] | None:
    """The values of one field; None clears a field of any type (docs/facts/kommo-api.md 7.3)."""
    if value is None:
        return None
    return [{"enum_id": value.id} if isinstance(value, EnumId) else {"value": value}]


def new_note(note: NewNote, note_type: str) -> Json:
    """One item of a POST of notes; ``note_type`` is one of ``NOTE_TYPES``, of which "common" has no ``service``.

    The note starts no bots: an administrator attaches bots to stages.
    """
    service = {} if note_type == "common" else {"service": note.service}
    return {
        "entity_id": note.lead_id,
        "note_type": note_type,
        "params": {**service, "text": note.text},
        "request_id": note.request_id,
        "is_need_to_trigger_digital_pipeline": False,
    }


def new_field(field: NewField) -> Json:
    """One item of a POST of custom fields; options are numbered from 1."""
    options = [{"value": value, "sort": sort} for sort, value in enumerate(field.options, 1)]
    return {"name": field.name, "type": field.type} | _given(
        code=field.code,
        group_id=field.group_id,
        is_api_only=field.is_api_only or None,
        enums=options or None,
    )


def options(old: tuple[FieldOption, ...], new: tuple[str, ...]) -> list[Json]:
    """The full option list for a PATCH of a field: ``old`` with their ids, then ``new``.

    Kommo may delete an option that is left out, and with it the value in every deal (docs/facts/kommo-api.md 8).
    """
    last = max((option.sort for option in old), default=0)
    kept = [{"id": option.id, "value": option.value, "sort": option.sort} for option in old]
    return [*kept, *({"value": value, "sort": sort} for sort, value in enumerate(new, last + 1))]


def _given(**values: Any) -> Json:
    return {key: value for key, value in values.items() if value is not None}
