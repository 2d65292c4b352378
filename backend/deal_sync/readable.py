"""Tells whether Kommo's answers can be trusted to show the notes that are there."""

from sqlmodel import col, select

from backend.accounts.tokens.call import with_kommo
from backend.resources import Resources
from backend.storage.models import CardWrite
from backend.work_queue.leases import Claim

LATEST = 3
"""How many notes are looked for: people delete notes, so the absence of one says nothing."""


async def shows_notes(resources: Resources, claim: Claim) -> bool:
    """True if Kommo shows the marker of one of the latest notes that it confirmed with an id.

    Then a note whose marker is absent was never written. False if there is no such note, or if texts come back so
    changed that markers are gone (docs/facts/kommo-api.md 9). Raises ``KommoError`` and ``NotConnected``.
    """
    confirmed = (
        select(CardWrite)
        .where(CardWrite.account_id == claim.account_id, CardWrite.kind == "note", CardWrite.state == "done")
        .where(col(CardWrite.kommo_id).is_not(None))
        .order_by(col(CardWrite.sent_at).desc())
        .limit(LATEST)
    )
    async with resources.database.read() as session:
        writes = (await session.exec(confirmed)).all()
    if not writes:
        return False
    leads = sorted({write.lead_id for write in writes})
    notes = await with_kommo(resources, claim.account_id, lambda api: api.notes_of(leads))
    texts = {note.id: note.text for note in notes}
    return any(write.content["marker"] in texts.get(write.kommo_id or 0, "") for write in writes)
