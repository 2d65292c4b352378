"""Deletion of processed hooks and bot steps, after the same time as processed events."""

import asyncio
from typing import Any

import structlog
from sqlalchemy import and_, bindparam, delete, or_, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import exists, select

from backend.resources import Resources
from backend.storage.models import BotStep, StageEntry

PORTION = 500
PAUSE_SECONDS = 0.2
"""Between portions, for other writers."""
DAY_SECONDS = 86400.0
Key = tuple[int, str]
log = structlog.get_logger()


async def prune_automation(resources: Resources) -> None:
    """Delete old entries of stages and processed steps of bots.

    The newest row that names a request stays: it records the requests that a rule created for a deal, so that a paid
    deposit is not requested again.
    """
    before = resources.clock() - resources.keep_events_days * DAY_SECONDS
    for table, rule in ((StageEntry, "root_id"), (BotStep, "rule_id")):
        count = 0
        after: Key | None = (0, "")
        while after is not None and not resources.stopping.is_set():
            done, after = await _prune_page(resources, table, rule, before, after)
            count += done
            await asyncio.sleep(PAUSE_SECONDS)
        if count:
            log.info("old hooks pruned", kind=table.__tablename__, count=count)


async def _prune_page(resources: Resources, table: Any, rule: str, before: float, after: Key) -> tuple[int, Key | None]:
    """Prune the rows of one page of the table. Return the number of deleted rows, and the key of the page's last row,
    None for the last page.

    Most old rows stay, so they are read outside the unit of work that deletes the others.
    """
    newer = aliased(table)
    same = [getattr(newer, name) == getattr(table, name) for name in ("account_id", "lead_id", "request_id", rule)]
    has_newer = exists().where(*same, newer.received_at > table.received_at)
    goes = and_(table.state == "done", table.received_at < before, or_(table.request_id.is_(None), has_newer))
    page = select(table.account_id, table.id, goes).where(tuple_(table.account_id, table.id) > after)
    async with resources.database.read() as session:
        rows = (await session.exec(page.order_by(table.account_id, table.id).limit(PORTION))).all()
    ids = [(account_id, id_) for account_id, id_, is_over in rows if is_over]
    if ids:
        async with resources.database.write() as session:
            this = (table.account_id == bindparam("account"), table.id == bindparam("row"), table.state == "done")
            keys = [{"account": account_id, "row": id_} for account_id, id_ in ids]
            await (await session.connection()).execute(delete(table.__table__).where(*this), keys)
    return len(ids), (rows[-1][0], rows[-1][1]) if len(rows) == PORTION else None
