"""Rows of sendings: the due ones, and changes that apply only to rows that nobody changed meanwhile."""

from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.resources import Resources
from backend.storage.models import Sending
from backend.storage.reading import all_of
from backend.work_queue.leases import Claim, fence

BEYOND_THE_CLIENT = ("bot", "chat")
"""Channels that write to the client; a task is for a user."""


async def due(session: AsyncSession, account_id: int, now: float, most: int) -> list[Sending]:
    """Return at most ``most`` sendings due at ``now`` (epoch seconds): users' first, then the longest due."""
    mine = (col(Sending.account_id) == account_id, col(Sending.due_at) <= now)
    order = (col(Sending.origin) != "person", col(Sending.due_at), col(Sending.id))
    return list(await all_of(session, select(Sending).where(*mine).order_by(*order).limit(most)))


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """Return when the next sending is to be processed, in epoch seconds; None without one."""
    soonest = select(func.min(Sending.due_at)).where(
        col(Sending.account_id) == account_id, col(Sending.due_at).is_not(None)
    )
    return (await session.exec(soonest)).one()


async def change(resources: Resources, claim: Claim, row: Sending, **values: Any) -> bool:
    """Commit these values and set them in ``row``; False if the row changed since it was read."""
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        return await change_in(session, row, epoch=claim.epoch, **values)


async def change_in(session: AsyncSession, row: Sending, **values: Any) -> bool:
    """Store these values and set them in ``row``, in the caller's unit of work; False if the row changed since it was
    read.
    """
    as_read = (
        col(Sending.account_id) == row.account_id,
        col(Sending.id) == row.id,
        col(Sending.state) == row.state,
        col(Sending.attempts) == row.attempts,
    )
    changed = await session.exec(update(Sending).where(*as_read).values(**values))
    if not changed.rowcount:
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


async def drop_waiting(session: AsyncSession, account_id: int, reason: str, *more: Any) -> int:
    """Drop waiting automatic sendings that match ``more`` (SQL conditions) and return how many."""
    due = (col(Sending.account_id) == account_id, col(Sending.due_at).is_not(None))  # the words of the index
    waiting = (*due, col(Sending.state) == "waiting", col(Sending.origin) != "person")
    dropped = await session.exec(
        update(Sending).where(*waiting, *more).values(state="dropped", reason=reason, due_at=None)
    )
    return int(dropped.rowcount)


async def written_to_since(session: AsyncSession, row: Sending, moment: float) -> bool:
    """Return whether another automatic message may have reached this client since the moment (epoch seconds).

    Without a known contact the deal stands for the client.
    """
    same = Sending.contact_id == row.contact_id if row.contact_id else Sending.lead_id == row.lead_id
    found = await session.exec(
        select(Sending.id)
        .where(
            Sending.account_id == row.account_id,
            same,
            Sending.id != row.id,
            Sending.origin != "person",
            col(Sending.reached_at) >= moment,
            col(Sending.reached_at) > 0,
        )
        .limit(1)
    )
    return found.first() is not None
