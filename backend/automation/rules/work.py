"""The worker's step for deals that entered a stage with a rule: they are read, and get their payment request.

One batch per turn, so that no deal's card waits long behind many entries: two calls to Kommo for ten deals, and one to
Stripe for each request.
"""

import asyncio
from collections.abc import Sequence

import structlog

from backend.accounts.tokens.call import with_kommo
from backend.automation.rules.ask import ask
from backend.automation.rules.check import checked
from backend.automation.rules.finish import finish
from backend.automation.rules.outcomes import Outcome
from backend.automation.rules.store import Case, by_deal, due, put_off
from backend.core.cache import CacheSpec
from backend.core.errors import StripeUnreachable, TooManySendings
from backend.kommo_api.client import MOST_NAMED_IN_EVENTS
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused
from backend.kommo_api.values import Lead, StageChange
from backend.resources import Resources
from backend.stripe_api.client import Unreachable
from backend.work_queue.leases import Claim

AT_ONCE = 4
"""Concurrent calls to Stripe for one account."""
FEED_SECONDS = 15.0
"""Until the feed is read again for an entry that it does not have yet."""
UNREADABLE = CacheSpec[int, bool](600.0, most=10_000)
"""By account: our token may not read its event feed."""

log = structlog.get_logger()


async def work_on_entries(resources: Resources, claim: Claim) -> None:
    """Process one batch of due entries. Raises Kommo's errors that concern the whole account."""
    async with resources.database.read() as session:
        cases = await due(session, claim.account_id, resources.clock(), MOST_NAMED_IN_EVENTS)
    if not cases:
        return
    lead_ids = list(dict.fromkeys(case.entry.lead_id for case in cases))
    leads = await with_kommo(resources, claim.account_id, lambda api: api.leads(lead_ids, contacts=True))
    changes = await _changes(resources, claim, [one for one in lead_ids if one in leads])
    places = asyncio.Semaphore(AT_ONCE)

    async def of_deal(lead_id: int, mine: Sequence[Case]) -> None:
        async with places:
            for case in mine:
                seen = None if changes is None else [one for one in changes if one.lead_id == lead_id]
                await _work(resources, claim, case, leads.get(lead_id), seen)

    works = [of_deal(lead_id, mine) for lead_id, mine in by_deal(cases).items()]
    for failure in await asyncio.gather(*works, return_exceptions=True):
        if failure is not None:
            raise failure


async def _changes(resources: Resources, claim: Claim, lead_ids: list[int]) -> list[StageChange] | None:
    """Return the deals' changes; None if we may not read the feed, so that the hooks' own times count."""
    unreadable = resources.caches[UNREADABLE]
    if claim.account_id in unreadable or not lead_ids:
        return None
    try:
        return await with_kommo(resources, claim.account_id, lambda api: api.stage_changes(lead_ids))
    except (KommoForbidden, KommoNotFound, KommoRefused) as error:
        log.warning("stage entries read failed", account=claim.account_id, reason=str(error))
        unreadable.put(claim.account_id, True)
        return None


async def _work(
    resources: Resources, claim: Claim, case: Case, lead: Lead | None, changes: Sequence[StageChange] | None
) -> None:
    """Process one entry; its failure does not stop the others."""
    try:
        verdict = await checked(resources, claim, case, lead, changes)
        if isinstance(verdict, Outcome):
            await finish(resources, claim, case, verdict)
        elif verdict is None or lead is None:
            await put_off(resources, claim, case.entry, FEED_SECONDS)
        else:
            await ask(resources, claim, case, lead, verdict)
    except (StripeUnreachable, Unreachable, TooManySendings) as error:
        log.warning("rule deferred", account=claim.account_id, deal=case.entry.lead_id, reason=str(error))
        await put_off(resources, claim, case.entry)
