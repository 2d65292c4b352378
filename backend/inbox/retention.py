"""What the inbox lets go of: bodies of events that are done, and rows of events that were never ours to use.

Events that wait, were given up, name a missing deal or belong to a dispute stay as they are.
"""

import asyncio

import structlog
from sqlalchemy import and_, delete, or_, text, update
from sqlmodel import col, select

from backend.resources import Resources
from backend.storage.models import InboxEvent
from backend.storage.models.payments import PRUNABLE

PORTION = 500
PAUSE_SECONDS = 0.2
"""Between portions, for others to write."""
IS_PRUNABLE = text(f"({PRUNABLE})")
DAY_SECONDS = 86400.0
log = structlog.get_logger()


async def prune_inbox(resources: Resources) -> None:
    """Goes on where it was interrupted: what is pruned is no longer found."""
    before = resources.clock() - resources.keep_events_days * DAY_SECONDS
    count = 0
    while (pruned := await _prune_portion(resources, before)) and not resources.stopping.is_set():
        count += pruned
        await asyncio.sleep(PAUSE_SECONDS)
    if count:
        log.info("old events pruned", count=count)


async def _prune_portion(resources: Resources, before: float) -> int:
    """The number of events that were pruned, in one unit of work."""
    undisputed = and_(col(InboxEvent.error) == "", ~col(InboxEvent.type).startswith("charge.dispute."))
    old = (
        select(InboxEvent.connection_id, InboxEvent.id, InboxEvent.state)
        .where(IS_PRUNABLE, InboxEvent.received_at < before, or_(col(InboxEvent.state) != "done", undisputed))
        .order_by(col(InboxEvent.received_at))
        .limit(PORTION)
    )
    async with resources.database.write() as session:
        found = (await session.exec(old)).all()
        for connection_id in sorted({row[0] for row in found}):
            mine = [(row[1], row[2]) for row in found if row[0] == connection_id]
            done = [id_ for id_, state in mine if state == "done"]
            unused = [id_ for id_, state in mine if state != "done"]
            here = col(InboxEvent.connection_id) == connection_id
            is_done = (here, col(InboxEvent.id).in_(done), col(InboxEvent.state) == "done")
            await session.exec(update(InboxEvent).where(*is_done).values(body=None))
            await session.exec(
                delete(InboxEvent).where(here, col(InboxEvent.id).in_(unused), col(InboxEvent.state) != "new")
            )
    return len(found)
