"""One batch of deals that were read: decide, intend, write, note. Two calls where nothing goes wrong."""

from collections.abc import Mapping

import structlog

from backend.kommo_api.values import Lead
from backend.leases import Claim, fence
from backend.resources import Resources
from backend.writer import intents
from backend.writer.journal import Later, Page
from backend.writer.notes import post_notes
from backend.writer.patches import patch
from backend.writer.periods import split_off
from backend.writer.plan import Plan, plan
from backend.writer.tasks import write_tasks
from backend.writer.wanting import is_test, wanted_of

SIZE = 50
"""Kommo's advice; it takes 250."""

log = structlog.get_logger()


async def write_batch(
    resources: Resources, claim: Claim, page: Page, leads: Mapping[int, Lead], later: Mapping[int, Later]
) -> None:
    """``later``: deals of which something is in doubt. Errors of Kommo that concern the whole account are raised."""
    split = await split_off(resources, claim, page, leads)
    later = {**later, **split}
    plans = _plans(resources, page, {lead: leads[lead] for lead in leads if lead not in split}, later)
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await intents.intend(session, claim.account_id, plans, claim.epoch, resources.clock())
    taken = await patch(resources, claim, page, [one for one in plans if one.patches], later)
    written = [one for one in plans if one.lead_id in taken or not one.patches]
    await write_tasks(resources, claim, written, leads)
    await post_notes(resources, claim, page, written, later)


def _plans(resources: Resources, page: Page, leads: Mapping[int, Lead], later: dict[int, Later]) -> list[Plan]:
    plans: list[Plan] = []
    for lead in leads.values():
        try:
            plans.append(_plan(resources, page, lead))
        except Exception:  # whatever is wrong with this one, the others must be written
            log.exception("a deal can't be planned", account=page.account.id, lead=lead.id)
            later[lead.id] = Later(None, "Something is wrong here with this deal; the log of the server says what.")
    return plans


def _plan(resources: Resources, page: Page, lead: Lead) -> Plan:
    ledger = page.ledgers[lead.id]
    wanted = wanted_of(page.account, ledger, resources.addresses.public_url)
    return plan(lead, wanted, page.writes[lead.id], page.account, test=is_test(ledger))
