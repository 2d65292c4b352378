"""Writing every deal of an account anew: in portions, and only when nothing newer is due."""

from sqlmodel import col, select

from backend.resources import Resources
from backend.storage.models import Account, Deal
from backend.work_queue.leases import Claim, fence
from backend.work_queue.wakeups import mark_dirty

PORTION = 250
"""Deals marked with one commit: as many as one call reads. A fresh payment waits for this many at the most."""


async def mark_portion(resources: Resources, claim: Claim, *, most: int = PORTION) -> bool:
    """True if more deals are due now; False when all were marked, or none was to be written anew."""
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
