"""The survivors of deals that Kommo merged, from the database: payments and requests of a gone deal belong to them."""

from collections import defaultdict
from collections.abc import Collection

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import MergedDeal


async def survivors(session: AsyncSession, account_id: int, lead_ids: Collection[int]) -> dict[int, int]:
    """Return gone deal → surviving deal, for those of ``lead_ids`` that were merged; {} if none was.

    One step suffices: when a survivor is merged itself, all rows that name it get the new survivor.
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
    """Return survivor → the deals that were merged into it, ordered by id; survivors without any are left out."""
    found = await session.exec(
        select(MergedDeal.survivor_id, MergedDeal.lead_id)
        .where(MergedDeal.account_id == account_id, col(MergedDeal.survivor_id).in_(lead_ids))
        .order_by(col(MergedDeal.lead_id))
    )
    gone: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for survivor, lead_id in found.all():
        gone[survivor] = (*gone[survivor], lead_id)
    return gone


async def with_merged(session: AsyncSession, account_id: int, lead_id: int) -> tuple[int, ...]:
    """Return the deal's id, then those of the deals that were merged into it."""
    return (lead_id, *(await merged_into(session, account_id, [lead_id])).get(lead_id, ()))
