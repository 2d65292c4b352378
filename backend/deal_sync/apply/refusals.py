"""What a refusal says about one deal: the part of the change to leave out, or that the deal itself is gone."""

import re
from collections.abc import Sequence
from dataclasses import replace

from backend.kommo_api.errors import KommoError, KommoRefused
from backend.kommo_api.values import LeadChange

STAGE = ("status_id", "pipeline_id")
TAGS = ("tags_to_add", "tags_to_delete")


def without_named(change: LeadChange, refusal: KommoRefused) -> LeadChange | None:
    """The change without the parts that the refusal names, such as a field that a user removed or a missing stage.

    None if the refusal names no part, or if nothing else is left.
    """
    fields = list(change.fields)
    bad_fields = {fields[place] for place in _field_places(refusal) if place < len(fields)}
    bad_stage = bool(change.status_id) and names_the_stage(refusal)
    bad_tags = any(path.startswith(TAGS) for path in refusal.paths)
    if not bad_fields and not bad_stage and not bad_tags:
        return None
    rest = replace(
        change,
        fields={key: value for key, value in change.fields.items() if key not in bad_fields},
        pipeline_id=None if bad_stage else change.pipeline_id,
        status_id=None if bad_stage else change.status_id,
        tags_added=() if bad_tags else change.tags_added,
        tags_removed=() if bad_tags else change.tags_removed,
    )
    return rest if rest.fields or rest.status_id or rest.tags_added or rest.tags_removed else None


def _field_places(refusal: KommoRefused) -> list[int]:
    """The positions of the refused fields: ``custom_fields_values.2.field_id`` → 2."""
    parts: Sequence[list[str]] = [path.split(".") for path in refusal.paths]
    return [int(part[1]) for part in parts if part[0] == "custom_fields_values" and part[1:2] and part[1].isdigit()]


def names_the_stage(refusal: KommoError) -> bool:
    """True if a field error of the refusal is about the stage or its pipeline; False for any other error."""
    return isinstance(refusal, KommoRefused) and any(path.startswith(STAGE) for path in refusal.paths)


def names_the_deal(refusal: KommoError) -> bool:
    """True if the deal is unknown or deleted: path ``id`` or ``entity_id``, or inner code 226 (docs/facts/kommo-api.md
    6)."""
    if not isinstance(refusal, KommoRefused):
        return False
    errors = [error for errors in refusal.by_request.values() for error in errors]
    return (
        any(error.path in ("id", "entity_id") or error.code == "226" for error in errors)
        or re.search(r"\b226\b", refusal.detail) is not None
    )
