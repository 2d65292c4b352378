"""A stage move whose answer was lost: whether it happened, seen from where the deal stands and what its fields hold.

Stage and fields travel in one PATCH. Where a field that it carried holds something else than before, it was carried
out; and a deal that then stands elsewhere was moved by a person, whose choice it is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from backend.kommo_api.values import FieldValue, Lead
from backend.storage.models import CardWrite

BY_A_PERSON = "a person moved the deal meanwhile"


def intent_of(lead: Lead, status_id: int, fields: Iterable[int]) -> dict[str, Any]:
    """What is kept of a move before it is sent: where to, from where, and what the ``fields`` beside it held."""
    held = {str(one): _shown(lead.fields, one) for one in fields}
    return {"pipeline": lead.pipeline_id, "to": status_id, "from": lead.status_id, "held": held}


def settled(write: CardWrite, lead: Lead, *, is_due: bool) -> bool:
    """Say in ``write`` what became of it; False while nobody can know. ``is_due``: nothing is under way any more."""
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
