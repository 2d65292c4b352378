"""Tasks that other rooms order for a deal: a row each, made and closed by the writer as it does the ledger's own."""

from collections.abc import Collection

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.deal_sync.desired.task import Task
from backend.storage.db import insert_missing
from backend.storage.models import DealTask
from backend.work_queue.wakeups import mark_dirty


async def order_task(session: AsyncSession, account_id: int, lead_id: int, task: Task, now: float) -> bool:
    """Orders the task for the deal's responsible user, once per ``fact_id``; True where it is new.

    For a unit of work of the account (``account_unit``): the deal is marked dirty in it.
    """
    await mark_dirty(session, account_id, [lead_id], now)
    row = DealTask(account_id=account_id, lead_id=lead_id, fact_id=task.fact_id, text=task.text, due_at=task.due_at)
    return bool(await insert_missing(session, DealTask, [row.model_dump()]))


async def heal_task(session: AsyncSession, account_id: int, lead_id: int, fact_id: str, now: float) -> None:
    """Marks the ordered task as no longer needed: the writer closes it, or never makes it."""
    await mark_dirty(session, account_id, [lead_id], now)
    mine = (col(DealTask.account_id) == account_id, col(DealTask.lead_id) == lead_id)
    await session.exec(update(DealTask).where(*mine, col(DealTask.fact_id) == fact_id).values(healed=True))


async def ordered_tasks(
    session: AsyncSession, account_id: int, lead_ids: Collection[int]
) -> dict[int, tuple[Task, ...]]:
    """The tasks that were ordered for these deals, by deal."""
    mine = (DealTask.account_id == account_id, col(DealTask.lead_id).in_(lead_ids))
    tasks: dict[int, tuple[Task, ...]] = {}
    for row in (await session.exec(select(DealTask).where(*mine).order_by(col(DealTask.fact_id)))).all():
        one = Task(row.fact_id, row.text, row.due_at, row.healed)
        tasks[row.lead_id] = (*tasks.get(row.lead_id, ()), one)
    return tasks
