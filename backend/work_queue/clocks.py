"""Compares the clocks of our processes: each process records how far its own is ahead of the database's."""

from collections.abc import Sequence

from sqlalchemy import delete, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.clock import SKEW_SECONDS, Clock
from backend.storage.db import Database, dialect_insert
from backend.storage.models import ProcessClock

NOTE_SECONDS = 30.0
"""How often a process notes its clock."""
FRESH_SECONDS = 150.0
FORGET_SECONDS = 24 * 3600.0
EXACT_SECONDS = 1.0
"""An answer that took longer is too inexact to compare clocks."""
NOW = {
    "sqlite": text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": text("SELECT extract(epoch FROM clock_timestamp())::float8"),
}


async def note_clock(database: Database, owner: str, clock: Clock) -> None:
    """Store how far this process's clock is ahead, and delete rows that are older than a day (of killed processes)."""
    ahead = await ahead_of_database(database, clock)
    if ahead is None:
        return
    async with database.write() as session:
        seen_at = await _database_time(session)
        values = {"ahead": ahead, "seen_at": seen_at}
        row = dialect_insert(session, ProcessClock).values(owner=owner, **values)
        await session.exec(row.on_conflict_do_update(index_elements=["owner"], set_=values))
        await session.exec(delete(ProcessClock).where(col(ProcessClock.seen_at) < seen_at - FORGET_SECONDS))


async def forget_clock(database: Database, owner: str) -> None:
    """Delete the row of this process, which is ending."""
    async with database.write() as session:
        await session.exec(delete(ProcessClock).where(col(ProcessClock.owner) == owner))


async def ahead_of_database(database: Database, clock: Clock) -> float | None:
    """Seconds by which this process's clock is ahead of the database's; None if the database answered too slowly."""
    async with database.read() as session:
        await _database_time(session)  # opens the connection, so that the next query is not slowed by it
        asked_at = clock()
        its_time = await _database_time(session)
        took = clock() - asked_at
    return asked_at + took / 2 - its_time if took < EXACT_SECONDS else None


async def clocks_apart(database: Database, clock: Clock) -> str:
    """A sentence if the clocks of two processes differ by more than ``SKEW_SECONDS``, otherwise ''."""
    mine = await ahead_of_database(database, clock)
    async with database.read() as session:
        fresh = col(ProcessClock.seen_at) > await _database_time(session) - FRESH_SECONDS
        rows = (await session.exec(select(ProcessClock).where(fresh).order_by(ProcessClock.owner))).all()
    known = [(row.owner, row.ahead) for row in rows] + ([] if mine is None else [("this process", mine)])
    return _sentence(known)


def _sentence(known: Sequence[tuple[str, float]]) -> str:
    if not known:
        return ""
    first, last = min(known, key=lambda one: one[1]), max(known, key=lambda one: one[1])
    apart = last[1] - first[1]
    if apart <= SKEW_SECONDS:
        return ""
    named = " and ".join(f"that of {owner} is {ahead:+.1f} s from the database's" for owner, ahead in (last, first))
    return f"two clocks differ by {apart:.1f} s: {named}. Let NTP set the clocks of all hosts."


async def _database_time(session: AsyncSession) -> float:
    connection = await session.connection()
    return float((await connection.execute(NOW[connection.dialect.name])).scalar_one())
