"""Prune the inbox: drop the bodies of processed events, and the rows of events that we did not use.

Events that wait, that failed for good, that name a missing deal or that belong to a dispute are kept.
"""

import structlog
from sqlalchemy import and_, delete, or_, text, update
from sqlmodel import col, select

from backend.resources import Resources
from backend.storage.models import InboxEvent
from backend.storage.models.payments import PRUNABLE
from backend.storage.portions import in_portions

PORTION = 500
PAUSE_SECONDS = 0.2
"""The pause between portions, in which others can write."""
IS_PRUNABLE = text(f"({PRUNABLE})")
DAY_SECONDS = 86400.0
log = structlog.get_logger()


async def prune_inbox(resources: Resources) -> None:
    """Prune events received more than KEEP_EVENTS_DAYS ago. An interrupted run resumes where it stopped."""
    before = resources.clock() - resources.keep_events_days * DAY_SECONDS
    count = await in_portions(lambda: _prune_portion(resources, before), resources.stopping, PAUSE_SECONDS)
    if count:
        log.info("old events pruned", count=count)


async def _prune_portion(resources: Resources, before: float) -> int:
    """Prune one portion in one unit of work, and return the number of events."""
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
