"""One note a deal for all its new facts, posted for many deals at once; then the deals are written."""

from collections.abc import Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.tokens import calling
from backend.card.texts import texts
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoError, KommoRefused
from backend.kommo_api.values import NewNote
from backend.leases import Claim, fence
from backend.resources import Resources
from backend.writer import journal
from backend.writer.audit import next_look
from backend.writer.journal import Page
from backend.writer.plan import Plan
from backend.writer.sending import Outcome, names_the_deal, send

SERVICE = "Stripe payments"


async def post_notes(
    resources: Resources, claim: Claim, page: Page, plans: list[Plan], settled_at: Mapping[int, float]
) -> None:
    """One note a deal for all its new facts; then the deal is written, unless something of it is still in doubt."""
    notes = {str(one.lead_id): _note(page, one) for one in plans if one.notes}
    leads = [int(key) for key in notes]
    now = resources.clock()
    outcome: Outcome[int] = Outcome({}, {})
    if notes:
        async with resources.database.write() as session:
            await fence(session, claim, now)
            await journal.mark(
                session, claim.account_id, leads, "note", old=["intended"], state="sent", epoch=claim.epoch, now=now
            )
        outcome = await _send_notes(resources, claim, notes)
    async with resources.database.write() as session:
        now = resources.clock()
        await fence(session, claim, now)
        for key, note_id in outcome.done.items():
            await journal.mark(
                session, claim.account_id, [int(key)], "note", old=["sent"], state="done", epoch=claim.epoch,
                kommo_id=note_id,
            )  # fmt: skip
        await _record_refused_notes(session, claim, page, outcome.refused, now)
        done = [one.lead_id for one in plans if str(one.lead_id) not in outcome.refused]
        await journal.written(session, page, [lead for lead in done if lead not in settled_at])
        touched = [one.lead_id for one in plans if one.patches or one.notes]
        await journal.audit_at(session, claim.account_id, touched, next_look(now, 0, resources.settle_seconds) or now)
        for lead_id, at in settled_at.items():
            await journal.postpone(session, claim.account_id, lead_id, at)


async def _record_refused_notes(
    session: AsyncSession, claim: Claim, page: Page, refused: Mapping[str, KommoRefused], now: float
) -> None:
    for key, refusal in refused.items():
        lead_id = int(key)
        await journal.mark(
            session, claim.account_id, [lead_id], "note", old=["sent"], state="intended", epoch=claim.epoch
        )
        if names_the_deal(refusal):
            await journal.gone(session, page, lead_id)
        else:
            at = now + journal.REFUSED_AGAIN_SECONDS
            await journal.postpone(session, claim.account_id, lead_id, at, f"Kommo refused the note: {refusal.detail}")


async def _send_notes(resources: Resources, claim: Claim, notes: Mapping[str, NewNote]) -> Outcome[int]:
    async def call(batch: Mapping[str, NewNote]) -> Mapping[str, int]:
        async def post(api: KommoApi) -> dict[str, int]:
            return await api.post_notes(list(batch.values()))

        return await calling(resources, claim.account_id, post)

    try:
        return await send(notes, call)
    except KommoError as error:
        state = "doubtful" if error.doubtful else "intended"
        now = resources.clock()
        async with resources.database.write() as session:
            await fence(session, claim, now)
            await journal.mark(
                session, claim.account_id, [int(key) for key in notes], "note", old=["sent"], state=state,
                epoch=claim.epoch, now=now,
            )  # fmt: skip
        raise


def _note(page: Page, one: Plan) -> NewNote:
    paragraphs = [note.text for note in one.notes]
    if one.incoming:
        paragraphs.append(texts(options_of(page.account).note_language).say("incoming"))
    return NewNote(lead_id=one.lead_id, text="\n".join(paragraphs), request_id=str(one.lead_id), service=SERVICE)
