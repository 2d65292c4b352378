"""Saying that there is work: always in the unit of work that made it, so no wake-up is lost and none comes early."""

from collections.abc import Iterable

from sqlalchemy import case, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.db import dialect_insert
from backend.storage.models import AccountWork, Deal
from backend.work_queue.lock_order import NEW_WORK

CHANNEL = "kommo_stripe_work"


async def notify(session: AsyncSession, payload: str = "") -> None:
    """Tell all processes with the commit; the same said twice in one unit of work is told once. PostgreSQL only."""
    await (await session.connection()).execute(select(func.pg_notify(CHANNEL, payload)))


async def request_work(session: AsyncSession, account_id: int) -> None:
    """There is work for this account: whoever claims it next will look at everything."""
    statement = dialect_insert(session, AccountWork).values(account_id=account_id, **NEW_WORK)
    await session.exec(
        statement.on_conflict_do_update(
            index_elements=["account_id"], set_={"wanted": AccountWork.wanted + 1, "next_try_at": 0.0}
        )
    )
    if session.get_bind().dialect.name != "sqlite" and not session.info.get("told"):
        session.info["told"] = True
        await notify(session)


async def mark_dirty(session: AsyncSession, account_id: int, lead_ids: Iterable[int], now: float) -> None:
    """These deals may differ from their ledger; the writer will look. ``dirty_since`` keeps the first moment.

    The account's row is locked before its deals', as the writer does: else each could wait for the other for ever.
    """
    leads = sorted(set(lead_ids))
    if leads:
        await request_work(session, account_id)
    since = case((col(Deal.written) < col(Deal.wanted), col(Deal.dirty_since)), else_=now)
    for lead_id in leads:
        statement = dialect_insert(session, Deal).values(
            account_id=account_id, lead_id=lead_id, wanted=1, written=0, dirty_since=now, next_try_at=0.0,
            attempts=0, state="known", problem="",
        )  # fmt: skip
        await session.exec(
            statement.on_conflict_do_update(
                index_elements=["account_id", "lead_id"],
                set_={"wanted": Deal.wanted + 1, "dirty_since": since, "next_try_at": 0.0, "restored": False},
            )
        )


async def mark_all_dirty(session: AsyncSession, account_id: int, now: float) -> None:
    """Every deal that we ever looked at."""
    deals = await session.exec(select(Deal.lead_id).where(col(Deal.account_id) == account_id))
    await mark_dirty(session, account_id, deals.all(), now)
