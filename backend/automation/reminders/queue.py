"""Which requests are to be looked at, and when: a column of the request, so that a look at nothing costs one query."""

from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.automation.reminders.schedule import Past
from backend.storage.models import PaymentRequest, Reminder


async def next_look(session: AsyncSession, account_id: int) -> float | None:
    """When the next request of the account is to be looked at."""
    return (await session.exec(select(func.min(PaymentRequest.remind_at)).where(*_waiting(account_id)))).one()


async def due_requests(session: AsyncSession, account_id: int, now: float, most: int) -> list[str]:
    """Those whose time has come, the longest waiting first."""
    due = select(PaymentRequest.id).where(*_waiting(account_id), col(PaymentRequest.remind_at) <= now)
    ordered = due.order_by(col(PaymentRequest.remind_at), col(PaymentRequest.id)).limit(most)
    return list((await session.exec(ordered)).all())


async def look_at(session: AsyncSession, account_id: int, request_id: str, moment: float | None) -> None:
    """The request is looked at again at ``moment``; None: never by itself."""
    await session.exec(
        update(PaymentRequest)
        .where(col(PaymentRequest.account_id) == account_id, col(PaymentRequest.id) == request_id)
        .values(remind_at=moment)
    )


async def past_of(session: AsyncSession, account_id: int, request_id: str) -> list[Past]:
    """What the steps of the request came to, in the order in which they were decided."""
    mine = select(Reminder).where(Reminder.account_id == account_id, Reminder.request_id == request_id)
    rows = (await session.exec(mine.order_by(col(Reminder.number)))).all()
    return [Past(row.step, row.state, row.decided_at) for row in rows]


def _waiting(account_id: int) -> tuple[Any, ...]:
    return (
        col(PaymentRequest.account_id) == account_id,
        col(PaymentRequest.remind_at).is_not(None),
        col(PaymentRequest.session_n) > 0,
    )
