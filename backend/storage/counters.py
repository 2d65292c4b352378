"""Adds each process's counters to the sums of all processes in the database."""

import asyncio
import json

import structlog
from sqlmodel import select

from backend.core import metrics
from backend.storage.db import Database, dialect_insert
from backend.storage.models import Counted

BEAT_SECONDS = 5.0

log = structlog.get_logger()


async def keep_counts(database: Database) -> None:
    """Add this process's counters to the sums every few seconds, for ever."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            await store_counts(database)
        except Exception:  # the database is unreachable; the counts wait for the next round
            log.exception("counters store failed")


async def store_counts(database: Database) -> None:
    """Add the counts since the last call to the sums; if that fails, keep them and raise the error."""
    counts = metrics.take()
    try:
        await count_up(database, counts)
    except BaseException:
        metrics.give_back(counts)
        raise


async def count_up(database: Database, counts: metrics.Sums) -> None:
    """Add ``counts`` to the sums. Rows go in one order, so that two processes that add at once cannot deadlock."""
    if not counts:
        return
    values = [
        {"name": name, "labels": json.dumps(dict(labels)), "value": counts[name, labels]}
        for name, labels in sorted(counts)
    ]
    async with database.write() as session:
        row = dialect_insert(session, Counted).values(values)
        sums = {"value": Counted.value + row.excluded.value}
        await session.exec(row.on_conflict_do_update(index_elements=["name", "labels"], set_=sums))


async def summed_counts(database: Database) -> metrics.Sums:
    """The sums of all processes, by name and sorted labels."""
    async with database.read() as session:
        rows = (await session.exec(select(Counted))).all()
    return {(row.name, tuple(sorted(json.loads(row.labels).items()))): row.value for row in rows}
