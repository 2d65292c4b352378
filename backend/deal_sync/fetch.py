"""Fetches dirty deals from Kommo: many in one call, and one by one those that the list does not show."""

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
"""Errors that a smaller batch may avoid: a timeout, or one deal at which Kommo fails, which halving isolates."""
SINGLY = 20
"""Look up at most this many missing deals individually per pass; the others are fetched in the next one."""


async def read_due(resources: Resources, claim: Claim, being_written: frozenset[int]) -> dict[int, Lead] | None:
    """The due deals as they are in Kommo, by id; None if nothing is due or shadow mode was switched on.

    Leaves out the deals in ``being_written``. A list may lag behind a new deal, so a deal that it does not show is
    fetched by its own address; one that does not exist is marked as gone. Raises ``KommoError``, ``NotConnected`` and
    ``LeaseLost``.
    """
    account_id, now = claim.account_id, resources.clock()
    if being_written and not await _is_more_due(resources, account_id, now, being_written):
        return None
    async with resources.database.write() as session:
        await fence(session, claim, now)
        account = await session.get_one(Account, account_id)
        most = resources.pace.reads.of(account_id)
        seen = await revisions.due(session, account_id, now, being_written, most)
        if len(seen) < most and await revisions.touch_expired(session, account_id, now, most - len(seen)):
            seen = await revisions.due(session, account_id, now, being_written, most)
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


async def _is_more_due(resources: Resources, account_id: int, now: float, being_written: frozenset[int]) -> bool:
    """False if nothing is due beside the deals under way: then the batch that is being written waits for no lock."""
    async with resources.database.look() as session:
        return await revisions.is_any_due(session, account_id, now, being_written)


async def _one(resources: Resources, claim: Claim, lead_id: int) -> Lead | None:
    """The deal, or None if it does not exist or our user may not see it: a list leaves such deals out as well."""
    try:
        return await with_kommo(resources, claim.account_id, lambda api: api.lead(lead_id, contacts=False))
    except KommoForbidden:
        return None
    except TOO_MUCH:
        await too_much(resources, claim, resources.pace.reads, [lead_id])
        raise


async def too_much(resources: Resources, claim: Claim, sizes: Sizes, leads: Collection[int]) -> None:
    """Shrink the batch size after a failed request for ``leads``; postpone a deal that failed alone."""
    sizes.shrink(claim.account_id, len(leads))
    if len(leads) > 1:
        return
    (lead_id,) = leads
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await revisions.note_failure(session, claim.account_id, lead_id, resources.clock())


async def _know_pipelines(resources: Resources, account: Account, leads: Mapping[int, Lead]) -> None:
    """Fetch the pipelines again if a deal is in one that was created after set-up."""
    known = {pipeline["id"] for pipeline in account.pipelines}
    if any(lead.pipeline_id not in known for lead in leads.values()):
        await refresh_pipelines(resources, account.id)
