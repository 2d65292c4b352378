"""One note per deal for all its new facts, posted for many deals at once; then the deals count as written."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.core import metrics
from backend.core.sentences.said import said
from backend.deal_sync import outbox, revisions
from backend.deal_sync.apply.refusals import names_the_deal
from backend.deal_sync.apply.send import Outcome, note_outcome, send
from backend.deal_sync.desired.notes import as_one
from backend.deal_sync.desired.texts import texts
from backend.deal_sync.plan import Plan
from backend.deal_sync.revisions import Page, Recheck
from backend.deal_sync.verify import next_look
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import NewNote
from backend.resources import Resources
from backend.work_queue.leases import Claim, fence

SERVICE = "Stripe payments"
MARKER = 12
"""Bytes that each fact adds to a note in addition to its text."""
LONGEST = 3600
"""Most bytes of facts in one note: Kommo documents no limit, and 4 kB in all are believed to work
(docs/facts/kommo-api.md 9)."""


def that_fit(one: Plan) -> Plan:
    """The plan with as many of its notes as fit into one Kommo note, at least one; ``more`` is set if some are left."""
    sizes = accumulate(len(note.text.encode()) + MARKER for note in one.notes)
    count = max(1, sum(size <= LONGEST for size in sizes))
    return replace(one, notes=one.notes[:count], more=True) if count < len(one.notes) else one


async def post_notes(
    resources: Resources, claim: Claim, page: Page, plans: list[Plan], rechecks: Mapping[int, Recheck]
) -> None:
    """Post one note per deal with all its new facts, then record the deals as written.

    A deal in ``rechecks`` or with an unposted note stays dirty. Raises the ``KommoError`` or ``NotConnected`` that
    stopped the posting, after recording its results.
    """
    began = resources.clock()
    outcome = await _post(resources, claim, page, [one for one in plans if one.notes])
    async with resources.database.write() as session:
        now = resources.clock()
        await fence(session, claim, now)
        await _record_notes(session, claim, page, outcome, now)
        open_yet = {int(key) for key in (*outcome.refused, *outcome.doubtful, *outcome.unsent)}
        finished = [one.lead_id for one in plans if one.lead_id not in open_yet | rechecks.keys() and not one.more]
        await revisions.written(session, page, finished)
        touched = [one.lead_id for one in plans if one.patches or one.notes]
        await revisions.audit_at(session, claim.account_id, touched, next_look(now, 0, resources.settle_seconds) or now)
        for lead_id in rechecks.keys() - open_yet:
            await revisions.postpone(session, page, lead_id, rechecks[lead_id], now)
    _count(outcome)
    note_outcome(claim.account_id, "note", outcome, now - began)
    if outcome.error is not None:
        raise outcome.error


async def _post(resources: Resources, claim: Claim, page: Page, plans: list[Plan]) -> Outcome[int]:
    notes = {str(one.lead_id): _note(page, one) for one in plans}
    if not notes:
        return Outcome()

    async def call(batch: Mapping[str, NewNote]) -> Mapping[str, int]:
        async def post(api: KommoApi) -> dict[str, int]:
            return await api.post_notes(list(batch.values()))

        return await with_kommo(resources, claim.account_id, post)

    async with resources.database.write() as session:
        now = resources.clock()
        await fence(session, claim, now)
        await outbox.begin_notes(session, claim, plans, now)
    return await send(notes, call, is_repeatable=False)


def _note(page: Page, one: Plan) -> NewNote:
    spoken = texts(options_of(page.account).note_language)
    text = as_one(one.notes, spoken, *([spoken.say("incoming")] if one.incoming else []))
    return NewNote(lead_id=one.lead_id, text=text, request_id=str(one.lead_id), service=SERVICE)


async def _record_notes(session: AsyncSession, claim: Claim, page: Page, outcome: Outcome[int], now: float) -> None:
    await outbox.mark_posted(session, claim, {int(key): note for key, note in outcome.done.items()})
    states = {"doubtful": outcome.doubtful, "intended": {*outcome.refused, *outcome.unsent}}
    leads = {state: {int(key) for key in keys} for state, keys in states.items()}
    await outbox.mark_sent(session, claim, "note", leads, now)
    await _record_refused(session, page, outcome.refused, now)


async def _record_refused(session: AsyncSession, page: Page, refused: Mapping[str, KommoError], now: float) -> None:
    for key, refusal in refused.items():
        if names_the_deal(refusal):
            await revisions.vanished(session, page.account.id, int(key), now)
        else:
            reason = said("note_refused", reason=str(refusal))
            await revisions.postpone(session, page, int(key), Recheck(None, reason), now)


def _count(outcome: Outcome[int]) -> None:
    for result, keys in (("done", outcome.done), ("refused", outcome.refused), ("doubtful", outcome.doubtful)):
        metrics.WRITES.labels(kind="note", result=result).inc(len(keys))
