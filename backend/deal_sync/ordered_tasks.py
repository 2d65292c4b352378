"""Tasks that other rooms order for a deal. Each is a row; deal_sync creates and closes it like the ledger's own
tasks."""

from collections.abc import Collection

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.deal_sync.desired.task import Task
from backend.storage.db import insert_missing
from backend.storage.models import DealTask
from backend.work_queue.wakeups import mark_dirty


async def order_task(session: AsyncSession, account_id: int, lead_id: int, task: Task, now: float) -> bool:
    """Order the task for the deal, once per ``fact_id``; True if it is new.

    Call it in a unit of work of the account (``account_unit``), because it marks the deal dirty. ``now`` in Unix
    seconds.
    """
    await mark_dirty(session, account_id, [lead_id], now)
    row = DealTask(account_id=account_id, lead_id=lead_id, fact_id=task.fact_id, text=task.text, due_at=task.due_at)
    return bool(await insert_missing(session, DealTask, [row.model_dump()]))


async def heal_task(session: AsyncSession, account_id: int, lead_id: int, fact_id: str, now: float) -> None:
    """Mark the ordered task as no longer needed, so that deal_sync closes it or never creates it.

    Call it in a unit of work of the account (``account_unit``), because it marks the deal dirty at ``now`` (epoch
    seconds).
    """
    await mark_dirty(session, account_id, [lead_id], now)
    mine = (col(DealTask.account_id) == account_id, col(DealTask.lead_id) == lead_id)
    await session.exec(update(DealTask).where(*mine, col(DealTask.fact_id) == fact_id).values(healed=True))


async def ordered_tasks(
    session: AsyncSession, account_id: int, lead_ids: Collection[int]
) -> dict[int, tuple[Task, ...]]:
    """The ordered tasks of these deals, by deal id; deals without any have no entry."""
    mine = (DealTask.account_id == account_id, col(DealTask.lead_id).in_(lead_ids))
    tasks: dict[int, tuple[Task, ...]] = {}
    for row in (await session.exec(select(DealTask).where(*mine).order_by(col(DealTask.fact_id)))).all():
        one = Task(row.fact_id, row.text, row.due_at, row.healed)
        tasks[row.lead_id] = (*tasks.get(row.lead_id, ()), one)
    return tasks
