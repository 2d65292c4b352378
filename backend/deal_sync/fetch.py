"""Dirty deals as they stand in Kommo: many with one call, and by its own address whichever the list does not show."""

from collections.abc import Collection, Mapping

from backend.accounts.options import options_of
from backend.accounts.provisioning import refresh_pipelines
from backend.accounts.tokens.call import with_kommo
from backend.deal_sync import revisions
from backend.deal_sync.merges.again import alive_again
from backend.deal_sync.missing import conclude
from backend.kommo_api.errors import KommoForbidden, KommoTooSlow, KommoUnavailable
from backend.kommo_api.values import Lead
from backend.rate_limit.batch_size import Sizes
from backend.resources import Resources
from backend.storage.models import Account
from backend.work_queue.leases import Claim, fence

TOO_MUCH = (KommoTooSlow, KommoUnavailable)
"""Perhaps: it took too long, or Kommo stumbles over one of the deals, which then stands alone in the end."""
SINGLY = 20
"""So many missing deals are looked for one by one; the others are read again after that."""


async def read_due(resources: Resources, claim: Claim, being_written: frozenset[int]) -> dict[int, Lead] | None:
    """What is due and not under way, as it stands in Kommo; deals that are not there are done with. Nothing is due
    where shadow mode was switched on meanwhile.

    A list may lag behind what was just made: deals that it does not show are asked for by their own address.
    """
    account_id, now = claim.account_id, resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await revisions.touch_expired(session, account_id, now)
        account = await session.get_one(Account, account_id)
        seen = await revisions.due(session, account_id, now, being_written, resources.pace.reads.of(account_id))
    if not seen or options_of(account).shadow:
        return None
    try:
        leads = await with_kommo(resources, account_id, lambda api: api.leads(list(seen)))
    except TOO_MUCH:
        await too_much(resources, claim, resources.pace.reads, seen)
        raise
    resources.pace.reads.grow(account_id)
    missing = sorted(seen.keys() - leads.keys())[:SINGLY]
    found = {lead_id: await _one(resources, claim, lead_id) for lead_id in missing}
    leads |= {lead_id: lead for lead_id, lead in found.items() if lead is not None}
    await _know_pipelines(resources, account, leads)
    await alive_again(resources, claim, leads.keys())
    gone = {lead_id: seen[lead_id] for lead_id, lead in found.items() if lead is None}
    if gone:
        await conclude(resources, claim, gone)
    return leads


async def _one(resources: Resources, claim: Claim, lead_id: int) -> Lead | None:
    """None where there is no such deal, or where our user may not see it: a list leaves such deals out as well."""
    try:
        return await with_kommo(resources, claim.account_id, lambda api: api.lead(lead_id, contacts=False))
    except KommoForbidden:
        return None
    except TOO_MUCH:
        await too_much(resources, claim, resources.pace.reads, [lead_id])
        raise


async def too_much(resources: Resources, claim: Claim, sizes: Sizes, leads: Collection[int]) -> None:
    sizes.shrink(claim.account_id, len(leads))
    if len(leads) > 1:
        return
    (lead_id,) = leads
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await revisions.note_failure(session, claim.account_id, lead_id, resources.clock())


async def _know_pipelines(resources: Resources, account: Account, leads: Mapping[int, Lead]) -> None:
    """A pipeline that was made after set-up is read before a deal in it is judged."""
    known = {pipeline["id"] for pipeline in account.pipelines}
    if any(lead.pipeline_id not in known for lead in leads.values()):
        await refresh_pipelines(resources, account.id)
