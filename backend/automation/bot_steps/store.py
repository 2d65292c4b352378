"""Waiting bots in the database."""

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.resources import Resources
from backend.storage.models import BotStep
from backend.work_queue.leases import Claim, fence


async def due(session: AsyncSession, account_id: int, now: float, most: int) -> list[BotStep]:
    """Return at most ``most`` unfinished bot steps due at ``now`` (epoch seconds), longest waiting first."""
    mine = (BotStep.account_id == account_id, col(BotStep.state) != "done", col(BotStep.next_try_at) <= now)
    found = await session.exec(select(BotStep).where(*mine).order_by(col(BotStep.received_at)).limit(most))
    return list(found.all())


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """Return when the next bot may be answered, in epoch seconds; None without one."""
    waiting = (BotStep.account_id == account_id, col(BotStep.state) != "done")
    return (await session.exec(select(func.min(BotStep.next_try_at)).where(*waiting))).one()


async def keep(resources: Resources, claim: Claim, row: BotStep) -> None:
    """Commit the row's values. Raises ``LeaseLost`` if another worker took the account over."""
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await session.merge(row)


async def requests_of_step(session: AsyncSession, account_id: int, lead_id: int, rule_id: str) -> set[str]:
    """Return the ids of the requests whose links this rule gave to bots for the deal."""
    mine = (BotStep.account_id == account_id, BotStep.lead_id == lead_id, BotStep.rule_id == rule_id)
    found = await session.exec(select(BotStep.request_id).where(*mine, col(BotStep.request_id).is_not(None)))
    return {one for one in found.all() if one is not None}
