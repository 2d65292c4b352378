"""Fields and stage of many deals in one PATCH: stage, link and amounts are sent together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.tokens.call import with_kommo
from backend.core import metrics
from backend.core.sentences.said import said
from backend.deal_sync import outbox, revisions
from backend.deal_sync.apply.recheck import PlanAgain, check_map, check_places
from backend.deal_sync.apply.refusals import names_the_deal, names_the_stage, without_named
from backend.deal_sync.apply.send import Outcome, note_outcome, send
from backend.deal_sync.plan import Plan
from backend.deal_sync.revisions import Page, Recheck
from backend.kommo_api.errors import KommoError, KommoRefused
from backend.kommo_api.values import LeadChange
from backend.resources import Resources
from backend.work_queue.leases import Claim, fence

OLD_SECONDS = 10.0
"""Age in seconds from which a fetched stage is checked again. A batch waits much less for its slot, unless many
accounts share the address or Kommo is slow."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patched:
    """``confirmed``: the deals that Kommo wrote; ``incomplete``: those of them that lack a refused part."""

    confirmed: Collection[int] = ()
    incomplete: dict[int, Recheck] = field(default_factory=dict)


async def patch(resources: Resources, claim: Claim, page: Page, plans: list[Plan], read_at: float) -> Patched:
    """Write fields, stages and tags of these deals in one PATCH, and record the results.

    After a lost answer the moves are *doubtful*. Deals are planned anew instead of written if, after a refusal, our
    fields, Kommo's stages or a deal's stage turn out to have changed, or if a deal was moved since a fetch
    (``read_at``) that is over 10 seconds old. Raises the ``KommoError`` or ``NotConnected`` that stopped the writing.
    """
    changes = {str(one.lead_id): _change(one) for one in plans}
    places = {one.lead_id: (one.moving["pipeline"], one.moving["from"]) for one in plans if one.move}
    refused = False

    async def call(batch: Mapping[str, LeadChange]) -> dict[str, bool]:
        nonlocal refused
        moved = {int(key): places[int(key)] for key, change in batch.items() if change.status_id}
        if moved and (refused or resources.clock() - read_at > OLD_SECONDS):
            await check_places(resources, claim.account_id, moved)
        try:
            confirmed = await with_kommo(resources, claim.account_id, lambda api: api.patch_leads(list(batch.values())))
        except KommoRefused as refusal:
            refused = True
            if not names_the_deal(refusal):
                await check_map(resources, page.account)
            raise
        return {str(lead_id): True for lead_id in confirmed}

    began = resources.clock()
    outcome = await send(changes, call, without_named, is_repeatable=True)
    if not changes:
        return Patched()
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await _record_moves(session, claim, plans, outcome, resources.clock())
        await _record_refused(session, page, outcome.refused, resources.clock())
    _count(outcome)
    note_outcome(claim.account_id, "fields", outcome, resources.clock() - began)
    if outcome.error is not None and not isinstance(outcome.error, PlanAgain):
        raise outcome.error
    return Patched({int(key) for key in outcome.done}, _incomplete(outcome))


def _incomplete(outcome: Outcome[bool]) -> dict[int, Recheck]:
    return {
        int(key): Recheck(None, said("write_refused_in_part", reason=str(refusal)))
        for key, refusal in outcome.mended.items()
    }


def _change(one: Plan) -> LeadChange:
    return LeadChange(
        lead_id=one.lead_id,
        fields=one.fields,
        pipeline_id=one.move[0] if one.move else None,
        status_id=one.move[1] if one.move else None,
        request_id=str(one.lead_id),
        tags_added=one.tags_added,
        tags_removed=one.tags_removed,
    )


async def _record_moves(
    session: AsyncSession, claim: Claim, plans: list[Plan], outcome: Outcome[bool], now: float
) -> None:
    """Record the moves' states. A move that was mended away, refused or never sent certainly did not happen, unless an
    earlier request with it succeeded without naming its deal."""
    moves = {str(one.lead_id) for one in plans if one.move}
    stayed = {key for key, refusal in outcome.mended.items() if names_the_stage(refusal)}
    maybe = (outcome.doubtful | outcome.left_out) - outcome.done.keys()
    states = {
        "done": moves & outcome.done.keys() - stayed,
        "doubtful": moves & maybe - stayed,
        "intended": moves & ((outcome.refused.keys() | outcome.unsent) - maybe | stayed),
    }
    leads = {state: {int(key) for key in keys} for state, keys in states.items()}
    await outbox.mark_sent(session, claim, "stage", leads, now)


async def _record_refused(session: AsyncSession, page: Page, refused: Mapping[str, KommoError], now: float) -> None:
    for key, refusal in refused.items():
        if names_the_deal(refusal):
            await revisions.vanished(session, page.account.id, int(key), now)
        else:
            reason = said("write_refused", reason=str(refusal))
            await revisions.postpone(session, page, int(key), Recheck(None, reason), now)


def _count(outcome: Outcome[bool]) -> None:
    for key, refusal in outcome.mended.items():
        log.warning("deal written in part", deal=key, reason=str(refusal))
    for result, keys in (("done", outcome.done), ("refused", outcome.refused), ("doubtful", outcome.doubtful)):
        metrics.WRITES.labels(kind="fields", result=result).inc(len(keys))
