"""Many at once: people's first, and the account's deals are written in between."""

import asyncio

import pytest

from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty
from tests.automation.sendings.conftest import Desk

pytestmark = pytest.mark.anyio
MANY = 20


async def test_a_person_s_goes_first_and_deals_are_written_between(desk_on_both: Desk) -> None:
    desk = desk_on_both
    world = desk.world
    request = await desk.request()
    await desk.turn()
    for _ in range(MANY):
        await desk.plan(request, "rule", "task")
    await desk.plan(request, "person", "chat", "task")
    desk.client_writes()
    paid = await world.rep.create(lead_id=list(world.account.leads)[1])
    world.stripe.pay_session(world.checkout.session["id"])
    world.kommo.faults.add("delay", "/api/v4/tasks$", method="POST", seconds=0.4, skip=2)
    turn = asyncio.create_task(desk.turn())
    await world.until(lambda: any(one.fault for one in world.kommo.requests))
    assert len(desk.messages) == 1
    assert (await world.rep.post(f"/widget/deals/{list(world.account.leads)[1]}/check")).status_code == 202
    async with account_unit(world.resources.database, world.account.id) as session:
        await mark_dirty(session, world.account.id, [list(world.account.leads)[1]], world.clock())
    await turn
    assert len(desk.tasks) == MANY
    assert paid["id"]
    calls = [(one.method, one.path) for one in world.kommo.requests]
    last_task = max(place for place, one in enumerate(calls) if one == ("POST", "/api/v4/tasks"))
    last_write = max(place for place, one in enumerate(calls) if one == ("PATCH", "/api/v4/leads"))
    assert last_write < last_task
    shown = world.fields(list(world.account.leads)[1])
    assert shown["STRIPE_PAYMENT_STATUS"] == "Paid"
