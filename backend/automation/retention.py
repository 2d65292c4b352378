"""Deletion of processed hooks and bot steps, after the same time as processed events."""

from functools import partial
from typing import Any

import structlog
from sqlalchemy import delete, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, exists, select

from backend.resources import Resources
from backend.storage.models import BotStep, StageEntry
from backend.storage.portions import in_portions

PORTION = 500
PAUSE_SECONDS = 0.2
"""Between portions, for other writers."""
DAY_SECONDS = 86400.0
log = structlog.get_logger()


async def prune_automation(resources: Resources) -> None:
    """Delete old entries of stages and processed steps of bots.

    The newest row that names a request stays: it records the requests that a rule created for a deal, so that a paid
    deposit is not requested again.
    """
    before = resources.clock() - resources.keep_events_days * DAY_SECONDS
    for table, rule in ((StageEntry, "root_id"), (BotStep, "rule_id")):
        portion = partial(_prune_portion, resources, table, rule, before)
        count = await in_portions(portion, resources.stopping, PAUSE_SECONDS)
        if count:
            log.info("old hooks pruned", kind=table.__tablename__, count=count)


async def _prune_portion(resources: Resources, table: Any, rule: str, before: float) -> int:
    """Delete a portion in one unit of work and return its number of rows."""
    newer = aliased(table)
    same = [getattr(newer, name) == getattr(table, name) for name in ("account_id", "lead_id", "request_id", rule)]
    has_newer = exists().where(*same, newer.received_at > table.received_at)
    old = (
        select(table.account_id, table.id)
        .where(table.state == "done", table.received_at < before, or_(table.request_id.is_(None), has_newer))
        .limit(PORTION)
    )
    async with resources.database.write() as session:
        found = (await session.exec(old)).all()
        for account_id in sorted({row[0] for row in found}):
            ids = [row[1] for row in found if row[0] == account_id]
            await session.exec(delete(table).where(table.account_id == account_id, col(table.id).in_(ids)))
    return len(found)
