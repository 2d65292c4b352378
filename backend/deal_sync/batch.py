"""One batch of fetched deals: plan, enqueue, write, record. It takes two calls if nothing goes wrong."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from backend.accounts.options import options_of
from backend.core.off_loop import computed
from backend.core.sentences.said import said
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
    """Bring the fetched deals in line with their ledgers: fields and stage, tasks, then notes.

    ``leads``: the deals as Kommo returned them; ``read_at``: when they were requested, in Unix seconds. They stay dirty
    if shadow mode was switched on since. Errors that concern the whole account are raised: ``KommoError``,
    ``NotConnected``, or ``LeaseLost`` once another process has the account.
    """
    async with resources.database.read() as session:
        page = await revisions.page_for(session, claim.account_id, leads.keys(), resources.clock())
    if options_of(page.account).shadow:
        return
    waiting = await resolve_doubtful(resources, claim, page, leads, read_at)
    split = await split_off(resources, claim, page, leads)
    plans, failed = await _plans(resources, page, [lead for lead in leads.values() if lead.id not in split])
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await revisions.note_places(session, claim.account_id, leads.values())
        await outbox.enqueue(session, claim, plans, resources.clock())
    patched = await patch(resources, claim, page, [one for one in plans if one.patches], read_at)
    written = [one for one in plans if one.lead_id in patched.confirmed or not one.patches]
    without_task = await write_tasks(resources, claim, written, leads)
    rechecks = without_task | patched.incomplete | waiting | split | failed  # the last one of a deal wins
    await post_notes(resources, claim, page, written, rechecks)


async def _plans(resources: Resources, page: Page, leads: Iterable[Lead]) -> tuple[list[Plan], dict[int, Recheck]]:
    """The plans, and the rechecks of the deals that could not be planned."""
    plans: list[Plan] = []
    failed: dict[int, Recheck] = {}
    for lead in leads:
        try:
            size = len(page.ledgers[lead.id].payments) + len(page.writes[lead.id])
            plans.append(that_fit(await computed(size, partial(_plan, resources, page, lead))))
        except Exception:  # a fault in one deal must not stop the others
            log.exception("deal plan failed", account=page.account.id, deal=lead.id)
            failed[lead.id] = Recheck(None, said("plan_failed"))
        await asyncio.sleep(0)  # let other tasks run: batches under way have their rate-limit slots to meet
    return plans, failed


def _plan(resources: Resources, page: Page, lead: Lead) -> Plan:
    ledger = page.ledgers[lead.id]
    wanted = wanted_of(page.account, ledger, resources.addresses.public_url, page.tasks.get(lead.id, ()))
    return plan(lead, wanted, page.writes[lead.id], page.account, test=is_test(ledger))
