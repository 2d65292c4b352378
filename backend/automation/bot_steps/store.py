"""Waiting bots in the database."""

from sqlalchemy import ColumnElement, and_, case, or_, text, true
from sqlmodel import col, exists, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.ledger.merged_deals import with_merged
from backend.resources import Resources
from backend.storage.models import BotStep, Deal
from backend.storage.models.rules import OPEN_ENTRY
from backend.work_queue.leases import Claim, fence

IS_OPEN = text(f"bot_step.{OPEN_ENTRY} AND bot_step.next_try_at >= 0")
"""The words of the partial index, which SQLite does not use for a condition with a bound value, and a condition on its
next column that is always true: without statistics SQLite would take another index of the account."""


async def due(session: AsyncSession, account_id: int, now: float, most: int, *, may_wait: bool) -> list[BotStep]:
    """Return at most ``most`` unfinished bot steps due at ``now`` (epoch seconds), longest waiting first.

    A bot that waits for the payment is due at its end, or once its deal has a newer revision than at the last look;
    at once unless the account's bots ``may_wait``.
    """
    mine = (BotStep.account_id == account_id, IS_OPEN)
    is_due = or_(col(BotStep.next_try_at) <= now, _has_news(may_wait))
    found = await session.exec(select(BotStep).where(*mine, is_due).order_by(col(BotStep.received_at)).limit(most))
    return list(found.all())


async def next_due(session: AsyncSession, account_id: int, *, may_wait: bool) -> float | None:
    """Return when the next bot may be answered, in epoch seconds; None without one. ``may_wait``: as for ``due``."""
    mine = (BotStep.account_id == account_id, IS_OPEN)
    moment = case((_has_news(may_wait), 0.0), else_=col(BotStep.next_try_at))
    soonest: float | None = (await session.exec(select(func.min(moment)).where(*mine))).one()
    return soonest


def _has_news(may_wait: bool) -> ColumnElement[bool]:
    """The ledger's unit of work raises the deal's revision, so no payment is missed between two looks."""
    same = (col(Deal.account_id) == col(BotStep.account_id), col(Deal.lead_id) == col(BotStep.lead_id))
    newer = exists().where(*same, col(Deal.wanted) > col(BotStep.seen))
    return and_(col(BotStep.state) == "waiting", newer if may_wait else true())


async def revision_of(session: AsyncSession, account_id: int, lead_id: int) -> int:
    """Return the deal's revision, to be read before its ledger; 0 if the deal is unknown here."""
    mine = (Deal.account_id == account_id, Deal.lead_id == lead_id)
    return (await session.exec(select(Deal.wanted).where(*mine))).first() or 0


async def keep(resources: Resources, claim: Claim, row: BotStep) -> None:
    """Commit the row's values. Raises ``LeaseLost`` if another worker took the account over.

    A merge of its deal that was committed meanwhile stays, and so does the end of the step by an uninstallation.
    """
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        stored = await session.get_one(BotStep, (row.account_id, row.id))
        if stored.lead_id != row.lead_id:
            row.lead_id, row.seen = stored.lead_id, -1
        if stored.state != "done":
            await session.merge(row)


async def requests_of_step(session: AsyncSession, account_id: int, lead_id: int, rule_id: str) -> set[str]:
    """Return the ids of the requests whose links this rule gave to bots for the deal, or for one merged into it."""
    leads = await with_merged(session, account_id, lead_id)
    mine = (BotStep.account_id == account_id, col(BotStep.lead_id).in_(leads), BotStep.rule_id == rule_id)
    found = await session.exec(select(BotStep.request_id).where(*mine, col(BotStep.request_id).is_not(None)))
    return {one for one in found.all() if one is not None}
