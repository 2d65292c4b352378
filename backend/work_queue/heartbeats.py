"""Heartbeats of workers: a row each, renewed every few seconds."""

from sqlalchemy import delete
from sqlmodel import col

from backend.storage.db import Database, dialect_insert
from backend.storage.models import WorkerBeat

FORGET_SECONDS = 24 * 3600.0


async def beat(database: Database, owner: str, started_at: float, at: float) -> None:
    """Record that this worker looked for work at ``at`` (Unix seconds), and delete rows older than a day (of killed
    workers)."""
    async with database.write() as session:
        row = dialect_insert(session, WorkerBeat).values(owner=owner, started_at=started_at, at=at)
        await session.exec(row.on_conflict_do_update(index_elements=["owner"], set_={"at": at}))
        await session.exec(delete(WorkerBeat).where(col(WorkerBeat.at) < at - FORGET_SECONDS))


async def leave(database: Database, owner: str) -> None:
    """Delete the row of this worker, which is ending."""
    async with database.write() as session:
        await session.exec(delete(WorkerBeat).where(col(WorkerBeat.owner) == owner))
