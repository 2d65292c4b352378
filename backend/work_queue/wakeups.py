"""Requests for work, always in the unit of work that caused it, so that no wake-up is lost or comes too early."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import case, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.db import dialect_insert
from backend.storage.models import Account, AccountWork, Deal
from backend.work_queue.lock_order import NEW_WORK

CHANNEL = "kommo_stripe_work"
NEW_DEAL = {"wanted": 1, "written": 0, "next_try_at": 0.0, "attempts": 0, "state": "known", "problem": ""}


async def notify(session: AsyncSession, payload: str = "") -> None:
    """Notify all processes with the commit; PostgreSQL merges equal notifications of a transaction. PostgreSQL only."""
    await (await session.connection()).execute(select(func.pg_notify(CHANNEL, payload)))


def waking(insert: Any, account_id: int) -> Any:
    """Complete an ``insert`` into ``account_work``: one more request for work of this account, due at once."""
    return insert.values(account_id=account_id, **NEW_WORK).on_conflict_do_update(
        index_elements=["account_id"], set_={"wanted": AccountWork.wanted + 1, "next_try_at": 0.0}
    )


async def request_work(session: AsyncSession, account_id: int) -> None:
    """Request a turn for this account: the next worker that claims it looks at everything."""
    await session.exec(waking(dialect_insert(session, AccountWork), account_id))
    if session.get_bind().dialect.name != "sqlite" and not session.info.get("told"):
        session.info["told"] = True
        await notify(session)


async def mark_dirty(session: AsyncSession, account_id: int, lead_ids: Iterable[int], now: float) -> None:
    """Mark deals as possibly different from their ledger, and request a turn. ``dirty_since`` keeps the earliest time.

    ``now``: epoch seconds. The account's row is locked before its deals', as the writer does, because the opposite
    order could deadlock.
    """
    leads = sorted(set(lead_ids))
    if leads:
        await request_work(session, account_id)
    if not leads:
        return
    rows = [{"account_id": account_id, "lead_id": lead_id, "dirty_since": now, **NEW_DEAL} for lead_id in leads]
    since = case((col(Deal.written) < col(Deal.wanted), col(Deal.dirty_since)), else_=now)
    again = {"wanted": Deal.wanted + 1, "dirty_since": since, "next_try_at": 0.0, "restored": False}
    statement = dialect_insert(session, Deal).on_conflict_do_update(
        index_elements=["account_id", "lead_id"], set_=again
    )
    await (await session.connection()).execute(statement, rows)


async def request_redraw(session: AsyncSession, account_id: int) -> None:
    """Request that every written deal of the account is written anew.

    The worker marks them dirty in portions, only while nothing newer is due, so that no unit of work is long and no
    fresh payment waits behind old deals.
    """
    await request_work(session, account_id)
    await session.exec(update(Account).where(col(Account.id) == account_id).values(redraw_from=0))
