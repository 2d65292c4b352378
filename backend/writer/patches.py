"""Fields and stage of many deals in one PATCH: stage, link and amounts travel together."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from backend.accounts.tokens import calling
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import LeadChange
from backend.leases import Claim, fence
from backend.resources import Resources
from backend.writer import journal
from backend.writer.journal import Page
from backend.writer.plan import Plan
from backend.writer.sending import Outcome, names_the_deal, send, without_named

Patch = Callable[[Mapping[str, LeadChange]], Awaitable[Mapping[str, bool]]]

log = structlog.get_logger()


async def patch(resources: Resources, claim: Claim, page: Page, plans: list[Plan]) -> set[int]:
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
                at = now + journal.REFUSED_AGAIN_SECONDS
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
