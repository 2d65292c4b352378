"""A task that another room ordered for a deal is made once by the writer, and closed once it is no longer needed."""

from backend.deal_sync.desired.task import Task
from backend.deal_sync.ordered_tasks import heal_task, order_task
from backend.work_queue.lock_order import account_unit
from sandbox.clock import MovableClock
from tests.world import World, open_world

FACT = "rule:1:price"


async def _order(product: World, lead_id: int, text: str = "Enter the deal's price") -> bool:
    now = product.resources.clock()
    async with account_unit(product.resources.database, product.account.id) as session:
        return await order_task(session, product.account.id, lead_id, Task(FACT, text, now + 3600, False), now)


async def test_an_ordered_task_is_made_once_and_closed_when_it_is_healed(database_url: str) -> None:
    async with open_world(database_url, clock=MovableClock()) as product:
        lead_id = product.lead()
        assert [await _order(product, lead_id), await _order(product, lead_id, "the same in other words")] == [
            True,
            False,
        ]
        await product.quiet()
        assert [(task.text, task.is_completed) for task in product.account.tasks_of(lead_id)] == [
            ("Enter the deal's price", False)
        ]
        async with account_unit(product.resources.database, product.account.id) as session:
            await heal_task(session, product.account.id, lead_id, FACT, product.resources.clock())
        await product.quiet()
        assert [task.is_completed for task in product.account.tasks_of(lead_id)] == [True]


async def test_what_healed_before_anybody_was_asked_needs_no_task(database_url: str) -> None:
    async with open_world(database_url, clock=MovableClock(), worker=False) as product:
        lead_id, now = product.lead(), product.resources.clock()
        await _order(product, lead_id)
        async with account_unit(product.resources.database, product.account.id) as session:
            await heal_task(session, product.account.id, lead_id, FACT, now)
        async with product.started_again(database_url) as running:
            await running.quiet()
        assert product.account.tasks_of(lead_id) == []
