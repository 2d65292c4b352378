"""The payment request of a deal that entered a stage: once per entry, and never next to a link that may still
be paid.
"""

from functools import partial

from backend.automation.rules.asking import make_or_find
from backend.automation.rules.entry import request_id
from backend.automation.rules.finish import finish
from backend.automation.rules.store import Case, fix, requests_of_rule
from backend.kommo_api.values import Lead
from backend.resources import Resources
from backend.work_queue.leases import Claim


async def ask(resources: Resources, claim: Claim, case: Case, lead: Lead, at: float) -> None:
    """Create the request of this entry, or use an existing link; an obstacle becomes a task. ``at``: epoch seconds.

    Raises ``StripeUnreachable`` if it is to be tried again.
    """
    entry = case.entry
    asked_id = request_id(claim.account_id, lead.id, entry.root_id, at)
    async with resources.database.read() as session:
        mine = await requests_of_rule(session, claim.account_id, lead.id, entry.root_id)
    begin = partial(fix, resources, claim, entry, at, asked_id)
    outcome, found_id = await make_or_find(resources, claim.account_id, case.settings, lead, asked_id, mine, begin)
    await finish(resources, claim, case, outcome, found_id)
