"""The rows of the rate, each change one statement: a slot is taken by whoever's statement comes first."""

from dataclasses import dataclass

from sqlalchemy import case, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.clock import lies_ahead
from backend.storage.db import dialect_insert
from backend.storage.models.rate_limits import ADDRESS, Rate

FARTHEST_SECONDS = 120.0
"""No queue is as long as that: a moment farther away was written by a clock that has been set back since."""
LONGEST_HOLD_SECONDS = 301.0
"""Jitter included."""
PROBE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Slot:
    """A request may go ``at``, the next one ``next_at``; the rest is how things stand for all requests of this row."""

    at: float
    next_at: float
    hold_until: float
    refusals: int
    blocked_at: float
    probe_at: float


async def take(session: AsyncSession, row: int, interval: float, now: float, ahead: float) -> Slot | None:
    """The next free slot, which is taken with this. None where it begins more than ``ahead`` seconds from now."""
    taken = lies_ahead(col(Rate.next_at), now, FARTHEST_SECONDS)
    statement = dialect_insert(session, Rate).values(
        account_id=row, next_at=now + interval, hold_until=0.0, refusals=0, blocked_at=0.0, probe_at=0.0
    )
    near = ~taken | (col(Rate.next_at) <= now + ahead)
    found = await session.exec(
        statement.on_conflict_do_update(
            index_elements=["account_id"],
            set_={"next_at": case((taken, col(Rate.next_at)), else_=now) + interval},
            where=near,
        ).returning(Rate.next_at, Rate.hold_until, Rate.refusals, Rate.blocked_at, Rate.probe_at)
    )
    taken_slot = found.first()
    return Slot(taken_slot[0] - interval, *taken_slot) if taken_slot else None


async def as_it_stands(session: AsyncSession, row: int, slot: Slot) -> Slot:
    """The same slot with what has been learned since it was taken."""
    now = select(Rate.hold_until, Rate.refusals, Rate.blocked_at, Rate.probe_at).where(Rate.account_id == row)
    found = (await session.exec(now)).first()
    return Slot(slot.at, slot.next_at, *found) if found else slot


async def put_off(session: AsyncSession, row: int, slot: Slot, until: float) -> bool:
    """The next request goes later, for this one is late; False where somebody has taken the next slot already."""
    free = update(Rate).where(col(Rate.account_id) == row, col(Rate.next_at) == slot.next_at)
    return bool((await session.exec(free.values(next_at=until))).rowcount)


async def next_at(session: AsyncSession, row: int) -> float:
    return (await session.exec(select(Rate.next_at).where(Rate.account_id == row))).first() or 0.0


async def hold(session: AsyncSession, account_id: int, until: float, now: float) -> None:
    """Kommo asked for patience with this account."""
    runs = lies_ahead(col(Rate.hold_until), now, LONGEST_HOLD_SECONDS)
    longer = case((runs & (col(Rate.hold_until) > until), col(Rate.hold_until)), else_=until)
    held = update(Rate).where(col(Rate.account_id) == account_id)
    await session.exec(held.values(hold_until=longer, refusals=Rate.refusals + 1))


async def pause(session: AsyncSession, until: float, now: float) -> None:
    """Nobody knows whether Kommo counts by account or by address, so all wait a moment."""
    later = lies_ahead(col(Rate.next_at), now, FARTHEST_SECONDS) & (col(Rate.next_at) >= until)
    late = update(Rate).where(col(Rate.account_id) == ADDRESS, ~later)
    await session.exec(late.values(next_at=until))


async def forgiven(session: AsyncSession, account_id: int) -> None:
    await session.exec(update(Rate).where(col(Rate.account_id) == account_id).values(refusals=0))


async def block(session: AsyncSession, now: float) -> bool:
    """Nothing leaves by this address any more. True for whoever says it first."""
    free = update(Rate).where(col(Rate.account_id) == ADDRESS, col(Rate.blocked_at) == 0)
    return bool((await session.exec(free.values(blocked_at=now, probe_at=now + PROBE_SECONDS))).rowcount)


async def probe(session: AsyncSession, now: float) -> bool:
    """True for the one caller who may try now."""
    waits = lies_ahead(col(Rate.probe_at), now, PROBE_SECONDS)
    due = update(Rate).where(col(Rate.account_id) == ADDRESS, col(Rate.blocked_at) > 0, ~waits)
    return bool((await session.exec(due.values(probe_at=now + PROBE_SECONDS))).rowcount)


async def unblock(session: AsyncSession) -> None:
    await session.exec(update(Rate).where(col(Rate.account_id) == ADDRESS).values(blocked_at=0.0, probe_at=0.0))


async def blocked_at(session: AsyncSession) -> float:
    """Since when Kommo answers nothing to our address; 0 = it does."""
    return (await session.exec(select(Rate.blocked_at).where(Rate.account_id == ADDRESS))).first() or 0.0
