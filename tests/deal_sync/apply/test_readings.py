"""A note or task whose answer was lost is found again however Kommo gives its text back, never made a third time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.admin.unseen import unseen_write
from backend.storage.models import Deal
from sandbox.kommo.switches import SWITCHES
from tests.world import World, open_world

DESCRIPTION = "Website  🎉 first part & <more>"
READINGS = list(SWITCHES["text_reading"].readings)


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    database = f"sqlite+aiosqlite:///{tmp_path}/readings.db"
    async with open_world(database, more={"settle_seconds": 0.5}) as one:
        yield one


def _tries(product: World, path: str) -> int:
    return sum(one.method == "POST" and one.path.endswith(path) for one in product.kommo.requests)


@pytest.mark.parametrize("reading", READINGS)
async def test_one_note_and_one_task_whatever_comes_back_of_their_text(product: World, reading: str) -> None:
    product.kommo.switches.set("text_reading", reading)
    product.kommo.faults.add("drop_after", "/notes", method="POST")
    product.kommo.faults.add("drop_after", "/tasks", method="POST")
    lead_id = product.lead()
    await product.pay(await product.link(lead_id, description=DESCRIPTION))
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_INTENT") and product.notes(lead_id), 30)
    product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id) and len(product.notes(lead_id)) == 2, 30)
    await product.quiet()
    assert (len(product.notes(lead_id)), len(product.account.tasks_of(lead_id))) == (2, 1)


async def test_what_never_shows_is_sent_twice_and_then_told_to_a_person(product: World) -> None:
    product.kommo.faults.add("drop_before", "/notes", method="POST", times=0)
    lead_id = product.lead()
    await product.pay(await product.link(lead_id, description=DESCRIPTION))

    await product.until(lambda: _tries(product, "/notes") == 2, 30)
    for _ in range(100):
        product.resources.work_arrived.set()
        await product.quiet()
        (deal,) = [deal for deal in await product.rows(Deal) if deal.lead_id == lead_id]
        if deal.problem:
            break
        await asyncio.sleep(0.3)
    await asyncio.sleep(1)
    await product.quiet()
    assert (_tries(product, "/notes"), product.notes(lead_id)) == (2, [])
    assert "never seen there" in deal.problem
    async with product.resources.database.read() as session:
        told = await unseen_write(session, product.account.id, product.resources.clock())
    assert told == f"A note of deal {lead_id}: {deal.problem}"
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid"
