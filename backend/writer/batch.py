"""One batch of deals: read, decide, intend, write, note. At most three calls where nothing goes wrong."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.setup import refresh_pipelines
from backend.accounts.tokens import calling
from backend.card.render import Wanted, render
from backend.card.texts import texts
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoError, KommoRefused
from backend.kommo_api.values import Lead, LeadChange, NewNote
from backend.leases import Claim, fence
from backend.ledger.deal import DealLedger
from backend.resources import Resources
from backend.writer import journal
from backend.writer.journal import Page
from backend.writer.plan import Plan, plan
from backend.writer.sending import Outcome, names_the_deal, send, without_named
from backend.writer.settle import settle
from backend.writer.tasks import write_tasks

SERVICE = "Stripe payments"
Patch = Callable[[Mapping[str, LeadChange]], Awaitable[Mapping[str, bool]]]
REFUSED_AGAIN_SECONDS = 1800.0
"""A deal that Kommo refuses for a reason we can't leave out: tried again twice an hour, with the reason shown."""

log = structlog.get_logger()


async def write_dirty(resources: Resources, claim: Claim) -> None:
    """Write until nothing of this account is due. Errors of Kommo that concern the whole account are raised."""
    while True:
        now = resources.clock()
        async with resources.database.write() as session:
            await fence(session, claim, now)
            await journal.touch_expired(session, claim.account_id, now)
            page = await journal.read_page(session, claim.account_id, now)
        if page is None:
            return
        await _write_page(resources, claim, page)


async def _write_page(resources: Resources, claim: Claim, page: Page) -> None:
    account_id = claim.account_id
    leads = await calling(resources, account_id, lambda api: api.leads(list(page.seen)))
    page = await _known_pipelines(resources, page, leads)
    settled_at = await settle(resources, claim, page, leads)
    wanted = {lead_id: _wanted(resources, page, ledger) for lead_id, ledger in page.ledgers.items()}
    plans = [
        plan(lead, wanted[lead_id], page.writes[lead_id], page.account, test=_is_test(page.ledgers[lead_id]))
        for lead_id, lead in leads.items()
    ]
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await journal.intend(session, account_id, plans, claim.epoch, now)
        for lead_id in page.seen.keys() - leads.keys():
            await journal.gone(session, page, lead_id)
    taken = await _patch(resources, claim, page, [one for one in plans if one.patches])
    quiet = {one.lead_id for one in plans if not one.patches}
    written = [one for one in plans if one.lead_id in taken | quiet]
    await write_tasks(resources, claim, written, leads)
    await _post_notes(resources, claim, page, written, settled_at)


async def _known_pipelines(resources: Resources, page: Page, leads: Mapping[int, Lead]) -> Page:
    """A pipeline that was made after set-up is read before a deal in it is judged."""
    known = {pipeline["id"] for pipeline in page.account.pipelines}
    if all(lead.pipeline_id in known for lead in leads.values()):
        return page
    account = await refresh_pipelines(resources, page.account.id)
    return Page(account, page.seen, page.ledgers, page.writes)


def _wanted(resources: Resources, page: Page, ledger: DealLedger) -> Wanted:
    language = options_of(page.account).note_language
    return render(ledger, texts(language), link_base=resources.addresses.public_url, test=_is_test(ledger))


def _is_test(ledger: DealLedger) -> bool:
    """A ledger holds money of one mode only; a deal with requests alone is as its links are."""
    return not ledger.livemode


async def _patch(resources: Resources, claim: Claim, page: Page, plans: list[Plan]) -> set[int]:
    """The leads that Kommo confirmed, stage moves and fields in one request. A lost answer leaves moves in doubt."""
    changes = {str(one.lead_id): _change(one) for one in plans}
    if not changes:
        return set()

    async def call(batch: Mapping[str, LeadChange]) -> dict[str, bool]:
        confirmed = await calling(resources, claim.account_id, lambda api: api.patch_leads(list(batch.values())))
        return {str(lead_id): True for lead_id in confirmed}

    try:
        outcome = await send(changes, call)
        await _mend(changes, outcome, call)
    except KommoError as error:
        await _moves(
            resources, claim, [one.lead_id for one in plans if one.move], "doubtful" if error.doubtful else "intended"
        )
        raise
    await _record_patch(resources, claim, page, plans, outcome)
    return {int(key) for key in outcome.done}


async def _mend(changes: Mapping[str, LeadChange], outcome: Outcome[bool], call: Patch) -> None:
    """Once more without the field or stage that Kommo named: one removed field must not stop a payment."""
    for key, refusal in list(outcome.refused.items()):
        rest = without_named(changes[key], refusal)
        if rest is None:
            continue
        again = await send({key: rest}, call)
        outcome.done |= again.done
        if key in again.done:
            del outcome.refused[key]
            log.warning("written without what Kommo refused", lead_id=key, reason=refusal.detail)


def _change(one: Plan) -> LeadChange:
    return LeadChange(
        lead_id=one.lead_id,
        fields=one.fields,
        pipeline_id=one.move[0] if one.move else None,
        status_id=one.move[1] if one.move else None,
        request_id=str(one.lead_id),
    )


async def _record_patch(
    resources: Resources, claim: Claim, page: Page, plans: Iterable[Plan], outcome: Outcome[bool]
) -> None:
    now = resources.clock()
    moved = [one.lead_id for one in plans if one.move and str(one.lead_id) in outcome.done]
    stuck = [one.lead_id for one in plans if one.move and str(one.lead_id) in outcome.refused]
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await journal.mark(
            session, claim.account_id, moved, "stage", old=["sent"], state="done", epoch=claim.epoch, now=now
        )
        await journal.mark(session, claim.account_id, stuck, "stage", old=["sent"], state="intended", epoch=claim.epoch)
        for key, refusal in outcome.refused.items():
            if names_the_deal(refusal):
                await journal.gone(session, page, int(key))
            else:
                at = now + REFUSED_AGAIN_SECONDS
                await journal.postpone(
                    session, claim.account_id, int(key), at, f"Kommo refused: {refusal.detail}"[:500]
                )


async def _moves(resources: Resources, claim: Claim, lead_ids: list[int], state: str) -> None:
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await journal.mark(
            session, claim.account_id, lead_ids, "stage", old=["sent"], state=state, epoch=claim.epoch, now=now
        )


async def _post_notes(
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
            at = now + REFUSED_AGAIN_SECONDS
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
