"""Rewrites every deal of an account, in portions and only while no newer work is due."""

from sqlmodel import col, select

from backend.resources import Resources
from backend.storage.models import Account, Deal
from backend.work_queue.leases import Claim, fence
from backend.work_queue.wakeups import mark_dirty

PORTION = 250
"""Deals marked dirty per commit, as many as one call fetches. A fresh payment waits for at most this many."""


async def mark_portion(resources: Resources, claim: Claim, *, most: int = PORTION) -> bool:
    """Mark up to ``most`` more deals of a requested rewrite as dirty; False if no rewrite is requested or all are
    marked."""
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        account = await session.get_one(Account, claim.account_id)
        if account.redraw_from is None:
            return False
        found = await session.exec(
            select(Deal.lead_id)
            .where(col(Deal.account_id) == account.id, col(Deal.lead_id) > account.redraw_from)
            .order_by(col(Deal.lead_id))
            .limit(most)
        )
        leads = list(found.all())
        account.redraw_from = leads[-1] if leads else None
        session.add(account)
        await mark_dirty(session, account.id, leads, resources.clock())
    return bool(leads)
