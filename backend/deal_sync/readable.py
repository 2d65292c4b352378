"""Tells whether Kommo's answers can be trusted to show the notes and tasks that are there."""

import re
from collections.abc import Sequence
from html import unescape

from sqlmodel import col, select

from backend.accounts.tokens.call import with_kommo
from backend.resources import Resources
from backend.storage.models import CardWrite
from backend.work_queue.leases import Claim

LATEST = 3
"""How many are looked for: people delete notes and tasks, so the absence of one says nothing."""
LEAST_LETTERS = 16
"""Least number of letters by which a truncated task text identifies a task."""


async def shows_notes(resources: Resources, claim: Claim) -> bool:
    """True if Kommo shows the marker of one of the latest notes that it confirmed with an id.

    Then a note whose marker is absent was never written. False if there is no such note, or if texts come back so
    changed that markers are gone (docs/facts/kommo-api.md 9). Raises ``KommoError`` and ``NotConnected``.
    """
    writes = await _confirmed(resources, claim, "note")
    if not writes:
        return False
    notes = await with_kommo(resources, claim.account_id, lambda api: api.notes_of(_leads(writes)))
    texts = {note.id: note.text for note in notes}
    return any(write.content["marker"] in texts.get(write.kommo_id or 0, "") for write in writes)


async def shows_tasks(resources: Resources, claim: Claim) -> bool:
    """As ``shows_notes`` for tasks, which their text identifies."""
    writes = await _confirmed(resources, claim, "task")
    if not writes:
        return False
    tasks = await with_kommo(resources, claim.account_id, lambda api: api.tasks_of(_leads(writes)))
    texts = {task.id: task.text for task in tasks}
    return any(same_letters(write.content["text"], texts.get(write.kommo_id or 0, "")) for write in writes)


def same_letters(sent: str, read: str) -> bool:
    """True if ``read`` is the text that was ``sent``, as far as Kommo kept it.

    Only letters and digits count, because Kommo may cut a text or change blanks, entities and emoji
    (docs/facts/kommo-api.md 9).
    """
    kept = _letters(read)
    return len(kept) >= LEAST_LETTERS and _letters(sent).startswith(kept)


def _letters(text: str) -> str:
    """The letters and digits of a text: the part that Kommo returns unchanged."""
    return "".join(re.findall(r"[^\W_]+", unescape(text)))


async def _confirmed(resources: Resources, claim: Claim, kind: str) -> Sequence[CardWrite]:
    confirmed = (
        select(CardWrite)
        .where(CardWrite.account_id == claim.account_id, CardWrite.kind == kind, CardWrite.state == "done")
        .where(col(CardWrite.kommo_id).is_not(None))
        .order_by(col(CardWrite.sent_at).desc())
        .limit(LATEST)
    )
    async with resources.database.read() as session:
        return (await session.exec(confirmed)).all()


def _leads(writes: Sequence[CardWrite]) -> list[int]:
    return sorted({write.lead_id for write in writes})
