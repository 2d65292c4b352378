"""Deals that Kommo does not have: merged deals move to their survivor, others are marked as gone and looked up
again."""

from collections.abc import Collection, Mapping

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.sentences.said import said
from backend.deal_sync.merges.find import holding, survivors_proven, survivors_told
from backend.deal_sync.merges.follow import follow
from backend.ledger.missing_deals import deal_is_missing
from backend.resources import Resources
from backend.storage.models import Deal
from backend.work_queue.leases import Claim, fence

MANY = 3
"""If this many deals are missing at once, each must be missing twice before it counts as gone."""
MISSING = said("deal_not_shown")
MISSING_SECONDS = 60.0
GONE = said("deal_gone")
SHORTEST_WAIT, LONGEST_WAIT = 60.0, 6 * 3600.0
GIVEN_UP_SECONDS = 30 * 86400.0


async def conclude(resources: Resources, claim: Claim, seen: Mapping[int, int]) -> None:
    """Resolve missing deals: move their payments and requests to a merge's survivor, or mark them as gone.

    ``seen``: missing deal → the revision that was to be written. Merges are looked up with no transaction open; one
    unit of work then makes all changes. Raises ``KommoError``, ``NotConnected`` and ``LeaseLost``.
    """
    account_id = claim.account_id
    found = await survivors_told(resources, account_id, seen.keys())
    lost = {lead_id: revision for lead_id, revision in seen.items() if lead_id not in found}
    if len(lost) >= MANY:
        lost = await _believed(resources, claim, lost)
    found |= await survivors_proven(resources, account_id, lost.keys())
    async with resources.database.write() as session:
        now = resources.clock()
        await fence(session, claim, now)
        for lead_id, survivor in found.items():
            await follow(session, account_id, lead_id, survivor, now)
        left = {lead_id: revision for lead_id, revision in lost.items() if lead_id not in found}
        await _gone(session, account_id, left, await holding(session, account_id, left.keys()), now)
    if found:
        resources.work_arrived.set()


async def _believed(resources: Resources, claim: Claim, seen: Mapping[int, int]) -> dict[int, int]:
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        return await _missing_twice(session, claim.account_id, seen, resources.clock())


async def _missing_twice(session: AsyncSession, account_id: int, seen: Mapping[int, int], now: float) -> dict[int, int]:
    """The deals that were missing at an earlier look as well; the others are postponed by a minute.

    Many deals that vanish at one moment are more likely a fault of Kommo than a person's work.
    """
    mine = (col(Deal.account_id) == account_id, col(Deal.lead_id).in_(list(seen)))
    again = await session.exec(select(Deal.lead_id).where(*mine, col(Deal.problem).in_((MISSING, GONE))))
    before = set(again.all())
    fresh = [lead_id for lead_id in seen if lead_id not in before]
    await session.exec(
        update(Deal)
        .where(col(Deal.account_id) == account_id, col(Deal.lead_id).in_(fresh))
        .values(problem=MISSING, next_try_at=now + MISSING_SECONDS)
    )
    return {lead_id: revision for lead_id, revision in seen.items() if lead_id in before}


async def _gone(
    session: AsyncSession, account_id: int, seen: Mapping[int, int], ours: Collection[int], now: float
) -> None:
    """Mark the deals as gone, which makes their payments unmatched, and record the reason with their events.

    Deals in ``ours`` have payments or requests: they are looked up again, less often the longer they are missing. The
    others are looked up again when a new fact arrives.
    """
    for lead_id, revision in seen.items():
        await deal_is_missing(session, account_id, lead_id)
        deal = await session.get(Deal, (account_id, lead_id), populate_existing=True)
        if deal is None:
            continue
        deal.state, deal.next_try_at, deal.problem, deal.written = "gone", 0.0, GONE, revision
        since = (deal.missing_since or now) if lead_id in ours else None
        deal.missing_since = since
        deal.look_again_at = None if since is None else _look_again(since, now)
        session.add(deal)


def _look_again(since: float, now: float) -> float | None:
    waited = max(0.0, now - since)
    return None if waited > GIVEN_UP_SECONDS else now + min(max(waited, SHORTEST_WAIT), LONGEST_WAIT)
