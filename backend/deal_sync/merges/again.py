"""A deal recorded as merged that exists after all gets its own payments back."""

from collections.abc import Collection

from sqlalchemy import delete
from sqlmodel import col

from backend.deal_sync.merges.follow import give_owners_again
from backend.ledger.merged_deals import survivors
from backend.resources import Resources
from backend.storage.models import Audit, MergedDeal
from backend.work_queue.leases import Claim, fence
from backend.work_queue.wakeups import mark_dirty


async def alive_again(resources: Resources, claim: Claim, lead_ids: Collection[int]) -> None:
    """Undo the recorded merges of ``lead_ids``, deals that Kommo has, and assign their payments to them again.

    Requests that were moved stay where they are; a person may attach them. Raises ``LeaseLost``.
    """
    account_id, now = claim.account_id, resources.clock()
    async with resources.database.read() as session:
        merged = await survivors(session, account_id, lead_ids)
    if not merged:
        return
    async with resources.database.write() as session:
        await fence(session, claim, now)
        mine = (col(MergedDeal.account_id) == account_id, col(MergedDeal.lead_id).in_(merged.keys()))
        await session.exec(delete(MergedDeal).where(*mine))
        for lead_id, survivor in sorted(merged.items()):
            changed = await give_owners_again(session, account_id, survivor)
            await mark_dirty(session, account_id, {*changed, lead_id, survivor}, now)
            session.add(_audit(now, account_id, lead_id, survivor))


def _audit(now: float, account_id: int, lead_id: int, survivor: int) -> Audit:
    before, after = {"lead_id": survivor}, {"lead_id": lead_id}
    what = "merged deal is back"
    return Audit(at=now, account_id=account_id, who="writer", what=what, before=before, after=after)
