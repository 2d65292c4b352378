"""A stage move whose answer was lost: the deal's stage and fields show whether it happened.

Stage and fields are sent in one PATCH. If a field of that PATCH changed, the PATCH was carried out; if the deal is then
in another stage, a person moved it, and that choice stays.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from backend.core.sentences.said import said
from backend.kommo_api.values import FieldValue, Lead
from backend.storage.models import CardWrite

BY_A_PERSON = said("stays_moved_meanwhile")


def intent_of(lead: Lead, status_id: int, fields: Iterable[int]) -> dict[str, Any]:
    """The stored content of a move before it is sent: ``{"pipeline", "to", "from", "held"}``.

    ``to`` and ``from`` are status ids; ``held``: previous values of the ``fields`` sent with it, by the field's id as
    text.
    """
    held = {str(one): _shown(lead.fields, one) for one in fields}
    return {"pipeline": lead.pipeline_id, "to": status_id, "from": lead.status_id, "held": held}


def settled(write: CardWrite, lead: Lead, *, is_due: bool) -> bool:
    """Store the outcome of the move in ``write``; False while it is still unknown.

    ``is_due``: the request can no longer be under way, so a deal that did not move counts as not moved.
    """
    said, now = write.content, (lead.pipeline_id, lead.status_id)
    happened = any(_shown(lead.fields, int(one)) != held for one, held in said.get("held", {}).items())
    is_there = now == (said["pipeline"], said["to"])
    was_moved = not is_there and (happened or now != (said["pipeline"], said.get("from", lead.status_id)))
    if was_moved and not happened:
        write.content = {"stayed": BY_A_PERSON}
    elif was_moved:
        write.content = said | {"stayed": BY_A_PERSON}
    if not (is_there or was_moved or is_due):
        return False
    write.state = "done" if is_there or was_moved else "intended"
    return True


def _shown(fields: Mapping[int, tuple[FieldValue, ...]], field_id: int) -> list[Any]:
    return [[str(one.value), one.enum_id] for one in fields.get(field_id, ())]
