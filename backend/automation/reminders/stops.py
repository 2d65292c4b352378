"""Deals for which a user stopped all reminders."""

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.ledger.merged_deals import with_merged
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import ReminderStop


async def is_stopped(resources: Resources, link: Link) -> bool:
    """Return whether reminders of the link's deal are stopped."""
    async with resources.database.read() as session:
        return await stopped(session, link.request.account_id, link.request.lead_id)


async def stopped(session: AsyncSession, account_id: int, lead_id: int) -> bool:
    """Return whether a user stopped reminders of the deal, or of a deal that was merged into it."""
    leads = await with_merged(session, account_id, lead_id)
    mine = (ReminderStop.account_id == account_id, col(ReminderStop.lead_id).in_(leads))
    return (await session.exec(select(ReminderStop.lead_id).where(*mine).limit(1))).first() is not None


async def stop(session: AsyncSession, account_id: int, lead_id: int, user_id: int, now: float) -> None:
    """Stop the deal's reminders at ``now`` (epoch seconds); a deal that is stopped already keeps its user and time."""
    row = ReminderStop(account_id=account_id, lead_id=lead_id, user_id=user_id, stopped_at=now)
    await insert_missing(session, ReminderStop, [row.model_dump()])


async def go_on(session: AsyncSession, account_id: int, lead_id: int) -> None:
    """Resume the reminders of the deal, also if they were stopped on a deal that was merged into it."""
    leads = await with_merged(session, account_id, lead_id)
    mine = (col(ReminderStop.account_id) == account_id, col(ReminderStop.lead_id).in_(leads))
    await session.exec(delete(ReminderStop).where(*mine))
