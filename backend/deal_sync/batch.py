"""One batch of deals that were read: decide, intend, write, note. Two calls where nothing goes wrong."""

import asyncio
from collections.abc import Mapping

import structlog

from backend.accounts.options import options_of
from backend.deal_sync import outbox, revisions
from backend.deal_sync.apply.notes import post_notes, that_fit
from backend.deal_sync.apply.patch import patch
from backend.deal_sync.apply.renewal_deals import split_off
from backend.deal_sync.apply.tasks import write_tasks
from backend.deal_sync.plan import Plan, is_test, plan, wanted_of
from backend.deal_sync.revisions import Page, Recheck
from backend.deal_sync.settle import resolve_doubtful
from backend.kommo_api.values import Lead
from backend.resources import Resources
from backend.work_queue.leases import Claim, fence

log = structlog.get_logger()


async def write_batch(resources: Resources, claim: Claim, leads: Mapping[int, Lead], read_at: float) -> None:
    """``leads`` as Kommo was asked for them at that moment; they stay dirty where shadow mode was switched on since.
    Errors of Kommo that concern the whole account are raised."""
    async with resources.database.read() as session:
        page = await revisions.page_for(session, claim.account_id, leads.keys(), resources.clock())
    if options_of(page.account).shadow:
        return
    later = {
        lead_id: Recheck(at) for lead_id, at in (await resolve_doubtful(resources, claim, page, leads, read_at)).items()
    }
    split = await split_off(resources, claim, page, leads)
    later |= split
    plans = await _plans(resources, page, {lead: leads[lead] for lead in leads if lead not in split}, later)
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await outbox.enqueue(session, claim.account_id, plans, claim.epoch, resources.clock())
    taken = await patch(resources, claim, page, [one for one in plans if one.patches], later, read_at)
    written = [one for one in plans if one.lead_id in taken or not one.patches]
    await write_tasks(resources, claim, written, leads, later)
    await post_notes(resources, claim, page, written, later)


async def _plans(resources: Resources, page: Page, leads: Mapping[int, Lead], later: dict[int, Recheck]) -> list[Plan]:
    plans: list[Plan] = []
    for lead in leads.values():
        try:
            plans.append(that_fit(_plan(resources, page, lead)))
        except Exception:  # whatever is wrong with this one, the others must be written
            log.exception("a deal can't be planned", account=page.account.id, lead=lead.id)
            later[lead.id] = Recheck(None, "Something is wrong here with this deal; the log of the server says what.")
        await asyncio.sleep(0)  # others have a slot to keep
    return plans


def _plan(resources: Resources, page: Page, lead: Lead) -> Plan:
    ledger = page.ledgers[lead.id]
    wanted = wanted_of(page.account, ledger, resources.addresses.public_url)
    return plan(lead, wanted, page.writes[lead.id], page.account, test=is_test(ledger))
