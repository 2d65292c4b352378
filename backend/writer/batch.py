"""One batch of deals: read, decide, intend, write, note. At most three calls where nothing goes wrong."""

from collections.abc import Mapping

from backend.accounts.setup import refresh_pipelines
from backend.accounts.tokens import calling
from backend.kommo_api.values import Lead
from backend.leases import Claim, fence
from backend.resources import Resources
from backend.writer import journal
from backend.writer.journal import Page
from backend.writer.notes import post_notes
from backend.writer.patches import patch
from backend.writer.plan import plan
from backend.writer.settle import settle
from backend.writer.tasks import write_tasks
from backend.writer.wanting import is_test, wanted_of


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
    base = resources.addresses.public_url
    wanted = {lead_id: wanted_of(page.account, ledger, base) for lead_id, ledger in page.ledgers.items()}
    plans = [
        plan(lead, wanted[lead_id], page.writes[lead_id], page.account, test=is_test(page.ledgers[lead_id]))
        for lead_id, lead in leads.items()
    ]
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await journal.intend(session, account_id, plans, claim.epoch, now)
        for lead_id in page.seen.keys() - leads.keys():
            await journal.gone(session, page, lead_id)
    taken = await patch(resources, claim, page, [one for one in plans if one.patches])
    quiet = {one.lead_id for one in plans if not one.patches}
    written = [one for one in plans if one.lead_id in taken | quiet]
    await write_tasks(resources, claim, written, leads)
    await post_notes(resources, claim, page, written, settled_at)


async def _known_pipelines(resources: Resources, page: Page, leads: Mapping[int, Lead]) -> Page:
    """A pipeline that was made after set-up is read before a deal in it is judged."""
    known = {pipeline["id"] for pipeline in page.account.pipelines}
    if all(lead.pipeline_id in known for lead in leads.values()):
        return page
    account = await refresh_pipelines(resources, page.account.id)
    return Page(account, page.seen, page.ledgers, page.writes)
