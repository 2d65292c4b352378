"""Verifies written deals later, within the rate limit: 250 deals per call, three times.

Differing fields are written again. A note that Kommo confirmed and never showed is posted again. Of a note that exists
twice (an abandoned request that was carried out after all) the later one is reworded, if Kommo permits. Stages are left
alone: people decide where a deal is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.deal_sync import revisions
from backend.deal_sync.desired.texts import texts
from backend.deal_sync.plan import Plan, is_test, plan, wanted_of
from backend.deal_sync.revisions import Page
from backend.deal_sync.settle import try_again
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused
from backend.kommo_api.values import KommoNote, Lead
from backend.resources import Resources
from backend.storage.models import Audit, CardWrite, Deal
from backend.work_queue.leases import Claim, fence
from backend.work_queue.wakeups import mark_dirty

HOUR = 3600.0
DEALS = 250
AT_ONCE = 25
"""Deals that are compared and recorded together: webhooks wait for the comparison and for its unit of work."""

log = structlog.get_logger()


def next_look(written_at: float, audits: int, settle_seconds: float) -> float | None:
    """When a deal is verified next, in Unix seconds: after the settle time, an hour and a day; None after the third
    time.

    The time is rounded up, so that deals written one after another share a call.
    """
    waits = ((settle_seconds, settle_seconds / 2), (HOUR, HOUR / 6), (24 * HOUR, HOUR))
    if audits >= len(waits):
        return None
    wait, grain = waits[audits]
    return -(-(written_at + wait) // grain) * grain if grain else written_at


@dataclass
class Drift:
    """The differences that one verification found.

    ``missing``: deals that Kommo did not show; the writer finds out whether they are gone. ``doubled``: id of a later
    note → that note and the texts that an earlier note contains already. ``lost`` and ``shown``: rows of notes.
    """

    missing: list[int] = field(default_factory=list)
    restore: list[Plan] = field(default_factory=list)
    changed_again: list[int] = field(default_factory=list)
    lost: list[CardWrite] = field(default_factory=list)
    shown: list[CardWrite] = field(default_factory=list)
    doubled: dict[int, tuple[KommoNote, list[str]]] = field(default_factory=dict)


async def verify_writes(resources: Resources, claim: Claim) -> None:
    """Verify one page of due deals. Errors that concern the whole account are raised: ``KommoError``,
    ``NotConnected``."""
    now = resources.clock()
    async with resources.database.read() as session:
        deals = await _due(session, claim.account_id, now)
        if not deals:
            return
        page = await revisions.page_of(session, claim.account_id, deals, now)
    leads = await with_kommo(resources, claim.account_id, lambda api: api.leads(list(page.seen)))
    with_notes = [lead for lead in leads if any(write.kind == "note" for write in page.writes[lead])]
    notes = await with_kommo(resources, claim.account_id, lambda api: api.notes_of(with_notes)) if with_notes else []
    by_lead = defaultdict[int, list[KommoNote]](list)
    for note in notes:
        by_lead[note.lead_id].append(note)
    for first in range(0, len(deals), AT_ONCE):
        some = deals[first : first + AT_ONCE]
        found = findings(page, some, leads, by_lead, resources.addresses.public_url)
        await _mark_doubled(resources, claim, page, found.doubled.values())
        async with resources.database.write() as session:
            await fence(session, claim, resources.clock())
            await _record(session, resources, page, some, found)


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """When the next verification of this account is due, in Unix seconds, or None."""
    found = await session.exec(select(func.min(Deal.audit_at)).where(Deal.account_id == account_id))
    return found.one()


async def _due(session: AsyncSession, account_id: int, now: float) -> Sequence[Deal]:
    due = select(Deal).where(Deal.account_id == account_id, col(Deal.audit_at) <= now)
    return (await session.exec(due.order_by(col(Deal.audit_at)).limit(DEALS))).all()


def findings(
    page: Page,
    deals: Sequence[Deal],
    leads: Mapping[int, Lead],
    notes: Mapping[int, Sequence[KommoNote]],
    link_base: str,
) -> Drift:
    """The differences between written and current state of these deals. ``notes``: the notes in Kommo, by deal.

    For a deal that is dirty again only the notes are compared.
    """
    found = Drift(missing=[deal.lead_id for deal in deals if deal.lead_id not in leads])
    for deal in (one for one in deals if one.lead_id in leads):
        lead_id, lead = deal.lead_id, leads[deal.lead_id]
        ledger, writes = page.ledgers[lead_id], page.writes[lead_id]
        _look_at_notes(found, deal, writes, notes.get(lead_id, ()))
        if deal.written < deal.wanted:
            continue
        wanted = wanted_of(page.account, ledger, link_base, page.tasks.get(lead_id, ()))
        differing = plan(lead, wanted, writes, page.account, test=is_test(ledger))
        if differing.fields and deal.restored:
            found.changed_again.append(lead_id)
        elif differing.fields:
            found.restore.append(differing)
    return found


def _look_at_notes(found: Drift, deal: Deal, writes: Sequence[CardWrite], notes: Sequence[KommoNote]) -> None:
    """A note is lost only if no verification ever saw it and an hour has passed. Otherwise a person deleted it, or
    Kommo's reads lag."""
    for write in writes:
        if write.kind != "note" or write.state != "done":
            continue
        there = sorted((note for note in notes if _is_of(note, write)), key=lambda note: note.id)
        if there:
            found.shown += [] if write.content.get("shown") else [write]
            for note in (one for one in there[1:] if write.content["text"] in one.text):
                found.doubled.setdefault(note.id, (note, []))[1].append(write.content["text"])
        elif deal.audits > 0 and not write.content.get("shown"):
            found.lost.append(write)


def _is_of(note: KommoNote, write: CardWrite) -> bool:
    """True if the note has Kommo's id of the write, even with another text, or else contains its marker."""
    return note.id == write.kommo_id or write.content["marker"] in note.text


async def _mark_doubled(
    resources: Resources, claim: Claim, page: Page, doubled: Iterable[tuple[KommoNote, Sequence[str]]]
) -> None:
    """Replace the repeated texts in the later note by one sentence, because Kommo has no call that deletes a note."""
    sentence = texts(options_of(page.account).note_language).say("doubled")
    for note, again in doubled:
        log.error("duplicate note found", account=claim.account_id, deal=note.lead_id, note=note.id)
        try:
            await _rewrite(resources, claim, note, _without(note.text, again, sentence))
        except (KommoRefused, KommoForbidden, KommoNotFound) as refusal:
            log.warning("duplicate note deletion refused", account=claim.account_id, note=note.id, reason=str(refusal))


async def _rewrite(resources: Resources, claim: Claim, note: KommoNote, text: str) -> None:
    await with_kommo(resources, claim.account_id, lambda api: api.rewrite_note(note, text))


def _without(text: str, again: Sequence[str], sentence: str) -> str:
    """The text with the sentence once in place of all repeated texts."""
    for said in again:
        text = text.replace(said, sentence)
    before, found, after = text.partition(sentence)
    return before + found + after.replace(f"\n{sentence}", "")


async def _record(session: AsyncSession, resources: Resources, page: Page, deals: Sequence[Deal], found: Drift) -> None:
    now, account_id = resources.clock(), page.account.id
    for deal in deals:
        at = next_look(deal.audit_at or now, deal.audits + 1, resources.settle_seconds)
        await _set(session, account_id, [deal.lead_id], audits=deal.audits + 1, audit_at=at)
    for write in found.shown:
        write.content = write.content | {"shown": True}
        await session.merge(write)
    for write in found.lost:
        try_again(write)
        await session.merge(write)
        if write.state == "dead":
            continue
        session.add(_said(now, account_id, "note posted again", write.lead_id, write.content["text"]))
    for one in found.restore:
        session.add(_said(now, account_id, "fields restored", one.lead_id, sorted(one.fields)))
    for lead_id in found.changed_again:
        log.warning("manual field change kept", account=account_id, deal=lead_id)
    again = {one.lead_id for one in found.restore} | {write.lead_id for write in found.lost} | {*found.missing}
    await mark_dirty(session, account_id, again, now)
    await _set(session, account_id, [one.lead_id for one in found.restore], restored=True)


async def _set(session: AsyncSession, account_id: int, lead_ids: Sequence[int], **values: object) -> None:
    if lead_ids:
        mine = (col(Deal.account_id) == account_id, col(Deal.lead_id).in_(lead_ids))
        await session.exec(update(Deal).where(*mine).values(**values))


def _said(now: float, account_id: int, what: str, lead_id: int, detail: object) -> Audit:
    return Audit(at=now, account_id=account_id, who="writer", what=what, after={"lead_id": lead_id, "what": detail})
