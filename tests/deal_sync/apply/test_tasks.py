"""Tasks: once per fact, for the responsible user, closed when healed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.storage.models import Deal
from sandbox.clock import MovableClock
from tests.world import World, open_world

RARER = [pytest.param(kind, marks=pytest.mark.full) for kind in ("drop_before", "502_html")]


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    database = f"sqlite+aiosqlite:///{tmp_path}/tasks.db"
    async with open_world(database, more={"settle_seconds": 1.0}) as running_product:
        yield running_product


async def test_a_dispute_asks_the_responsible_user_once_and_is_closed_when_it_is_won(product: World) -> None:
    lead_id = await product.paid_deal()
    dispute = product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id))
    product.stripe.answer_dispute(dispute["id"])
    await product.quiet()
    (task,) = product.account.tasks_of(lead_id)
    assert dispute["id"] in task.text
    assert (task.responsible_user_id, task.is_completed) == (product.deal(lead_id)["responsible_user_id"], False)
    product.stripe.close_dispute(dispute["id"], "won")
    await product.until(lambda: product.account.tasks_of(lead_id)[0].is_completed)


@pytest.mark.parametrize("kind", ["drop_after", *RARER])
async def test_a_lost_answer_makes_no_second_task(product: World, kind: str) -> None:
    lead_id = await product.paid_deal()
    product.kommo.faults.add(kind, "/tasks", method="POST")
    product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id) and len(product.notes(lead_id)) == 2, 30)
    await product.quiet()
    assert len(product.account.tasks_of(lead_id)) == 1


async def test_a_dismissed_user_gets_no_task_but_somebody_does(product: World) -> None:
    seller = product.account.add_salesperson("Sia Sales", "sia@acme.example")
    lead_id = await product.paid_deal(responsible_user_id=seller.id)
    product.kommo.person().deactivate_user(seller.id)
    product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id))
    assert product.account.tasks_of(lead_id)[0].responsible_user_id == product.account.admin.id


async def test_a_task_that_kommo_refuses_keeps_no_other_deal_waiting(tmp_path: Path) -> None:
    """Its deal is deleted just before; the others are read and written but once."""
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as product:
        leads = [await product.paid_deal() for _ in range(3)]
        product.kommo.faults.add("429_json", "/leads", method="GET")
        for lead_id in leads:
            product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
        await product.quiet()
        product.kommo.faults.add("delay", "/tasks", method="POST", seconds=0.4)
        since = len(product.kommo.requests)
        clock.advance(302)
        product.resources.work_arrived.set()
        await product.until(lambda: _asked_for(product, since))
        gone = next(lead_id for lead_id in leads if lead_id not in _asked_for(product, since))
        product.kommo.person().delete_lead(gone)
        here = [lead_id for lead_id in leads if lead_id != gone]
        await product.until(lambda: all(len(product.notes(lead_id)) == 2 for lead_id in here))
        asked = [(one.method, one.path.rpartition("/")[2]) for one in product.kommo.requests[since:]]
        tasks = [("POST", "tasks")] * 3
        assert asked[: len(tasks) + 3] == [("GET", "leads"), ("PATCH", "leads"), *tasks, ("POST", "notes")]


def _asked_for(product: World, since: int) -> list[int]:
    """The deals for which tasks were sent."""
    sent = [one for one in product.kommo.requests[since:] if one.method == "POST" and one.path.endswith("/tasks")]
    return [task["entity_id"] for one in sent for task in one.body]


async def test_a_deleted_task_needs_no_closing(product: World) -> None:
    lead_id = await product.paid_deal()
    dispute = product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id))
    await product.quiet()
    product.account.tasks.clear()
    product.stripe.close_dispute(dispute["id"], "won")
    await product.until(lambda: len(product.notes(lead_id)) == 3)
    await product.quiet()
    assert [deal.written == deal.wanted for deal in await product.rows(Deal)] == [True]
