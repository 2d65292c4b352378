"""Deals that Kommo merged into others, as the database knows them: whose their payments and requests are now."""

from collections import defaultdict
from collections.abc import Collection

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import MergedDeal


async def survivors(session: AsyncSession, account_id: int, lead_ids: Collection[int]) -> dict[int, int]:
    """Gone deal → the living one it was merged into, for those of ``lead_ids`` that were merged.

    One step, since a survivor that was merged itself takes its row's place in all others.
    """
    if not lead_ids:
        return {}
    found = await session.exec(
        select(MergedDeal.lead_id, MergedDeal.survivor_id).where(
            MergedDeal.account_id == account_id, col(MergedDeal.lead_id).in_(lead_ids)
        )
    )
    return dict(found.all())


async def merged_into(session: AsyncSession, account_id: int, lead_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Survivor → the deals that were merged into it, in the order of their ids."""
    found = await session.exec(
        select(MergedDeal.survivor_id, MergedDeal.lead_id)
        .where(MergedDeal.account_id == account_id, col(MergedDeal.survivor_id).in_(lead_ids))
        .order_by(col(MergedDeal.lead_id))
    )
    gone: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for survivor, lead_id in found.all():
        gone[survivor] = (*gone[survivor], lead_id)
    return gone
