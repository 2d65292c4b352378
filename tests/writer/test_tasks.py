"""Tasks: once per fact, for the responsible user, closed when healed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.product import Product, running

RARER = [pytest.param(kind, marks=pytest.mark.full) for kind in ("drop_before", "502_html")]


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    database = f"sqlite+aiosqlite:///{tmp_path}/tasks.db"
    async with running(database, more={"settle_seconds": 1.0}) as running_product:
        yield running_product


async def test_a_dispute_asks_the_responsible_user_once_and_is_closed_when_it_is_won(product: Product) -> None:
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
async def test_a_lost_answer_makes_no_second_task(product: Product, kind: str) -> None:
    lead_id = await product.paid_deal()
    product.kommo.faults.add(kind, "/tasks", method="POST")
    product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id) and len(product.notes(lead_id)) == 2, 30)
    await product.quiet()
    assert len(product.account.tasks_of(lead_id)) == 1


async def test_a_dismissed_user_gets_no_task_but_somebody_does(product: Product) -> None:
    seller = product.account.add_salesperson("Sia Sales", "sia@acme.example")
    lead_id = await product.paid_deal(responsible_user_id=seller.id)
    product.kommo.person().deactivate_user(seller.id)
    product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id))
    assert product.account.tasks_of(lead_id)[0].responsible_user_id == product.account.admin.id
