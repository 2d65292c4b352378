"""Due requests: the time of the next check is a column, so that a check without due requests costs one query."""

from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.automation.reminders.schedule import Past
from backend.storage.models import PaymentRequest, Reminder


async def next_look(session: AsyncSession, account_id: int) -> float | None:
    """Return when the account's next request is to be checked, in epoch seconds; None without one."""
    return (await session.exec(select(func.min(PaymentRequest.remind_at)).where(*_waiting(account_id)))).one()


async def due_requests(session: AsyncSession, account_id: int, now: float, most: int) -> list[str]:
    """Return the uuids of at most ``most`` due requests, longest waiting first. ``now``: epoch seconds."""
    due = select(PaymentRequest.id).where(*_waiting(account_id), col(PaymentRequest.remind_at) <= now)
    ordered = due.order_by(col(PaymentRequest.remind_at), col(PaymentRequest.id)).limit(most)
    return list((await session.exec(ordered)).all())


async def look_at(session: AsyncSession, account_id: int, request_id: str, moment: float | None) -> None:
    """Schedule the request's next check at ``moment`` (epoch seconds); None: none by itself."""
    await session.exec(
        update(PaymentRequest)
        .where(col(PaymentRequest.account_id) == account_id, col(PaymentRequest.id) == request_id)
        .values(remind_at=moment)
    )


async def past_of(session: AsyncSession, account_id: int, request_id: str) -> list[Past]:
    """Return the outcomes of the request's steps, in the order of their decisions."""
    mine = select(Reminder).where(Reminder.account_id == account_id, Reminder.request_id == request_id)
    rows = (await session.exec(mine.order_by(col(Reminder.number)))).all()
    return [Past(row.step, row.state, row.decided_at) for row in rows]


def _waiting(account_id: int) -> tuple[Any, ...]:
    return (
        col(PaymentRequest.account_id) == account_id,
        col(PaymentRequest.remind_at).is_not(None),
        col(PaymentRequest.session_n) > 0,
    )
