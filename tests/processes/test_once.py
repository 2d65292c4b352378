"""``worker --once``, for a scheduler: it does what is due, says what is left, and ends, whatever Kommo does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from backend.automation.sendings.plan import Origin, plan_sending
from backend.storage.models import InboxEvent, PaymentRequest, Sending
from backend.work_queue.lock_order import account_unit
from backend.worker.loop import Worker
from backend.worker.waiting import Waiting, what_waits
from sandbox.clock import MovableClock
from tests.command_line import typed
from tests.world import World, open_world

AGAIN_SECONDS = 60.0
"""Longer than an account is left alone after a hiccup."""


class Silent(httpx.AsyncBaseTransport):
    """The way to a Kommo that takes each request and never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError(request)


@asynccontextmanager
async def received(database_url: str, payments: int = 1) -> AsyncIterator[tuple[World, Sequence[int]]]:
    """Deals that were paid, and one whose link is to be sent; the web has stored what Stripe said, and there is no
    worker."""
    async with open_world(database_url, clock=MovableClock()) as world:
        world.worker.stop()
        leads = [world.lead() for _ in range(payments)]
        for lead_id in leads:
            await world.pay(await world.link(lead_id))
        await world.until(lambda: not [one for one in world.stripe.courier.deliveries if one.status == "pending"])
        await world.link(unpaid := world.lead())
        (request,) = [one for one in await world.rows(PaymentRequest) if one.lead_id == unpaid]
        await _plan(world, request)
        yield world, leads


async def _plan(world: World, request: PaymentRequest) -> None:
    resources = world.resources
    async with account_unit(resources.database, world.account.id) as session:
        await plan_sending(
            session,
            request=request,
            deal_id=request.lead_id,
            origin=Origin("person", request.id, "Somebody asked", 1),
            channels=("task",),
            now=resources.clock(),
        )


def _is_done(world: World, lead_id: int) -> bool:
    paid = world.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid"
    return paid and len(world.notes(lead_id)) == 1


async def test_two_runs_at_once_do_all_that_is_due_and_nothing_twice(database_url: str, tmp_path: Path) -> None:
    async with received(database_url, payments=3) as (world, leads):
        assert {one.state for one in await world.rows(InboxEvent)} >= {"new"}
        once = ("worker", "--once")
        runs = await asyncio.gather(*(typed(world, tmp_path, *once, DATABASE_URL=database_url) for _ in range(2)))
        assert [code for code, _ in runs] == [0, 0], runs
        assert [lead_id for lead_id in leads if not _is_done(world, lead_id)] == []
        assert [one.state for one in await world.rows(Sending)] == ["done"]
        assert len(world.account.tasks) == 1
        assert [said for _, said in runs if "Nothing waits." in said], runs
        assert await Worker(world.resources).drain() == 0
        assert await what_waits(world.resources) == Waiting(0, 0, 0)


async def test_where_kommo_is_down_it_ends_and_says_what_is_left(database_url: str) -> None:
    async with received(database_url) as (world, (lead_id,)):
        world.kommo_is_away()
        await Worker(world.resources).drain()
        left = await what_waits(world.resources)
        assert left == Waiting(events=0, deals=2, messages=1)
        assert str(left) == "2 deals, 1 message"
        world.kommo.faults.clear()
        world.clock.advance(AGAIN_SECONDS)
        await Worker(world.resources).drain()
        assert _is_done(world, lead_id)
        assert await what_waits(world.resources) == Waiting(0, 0, 0)


async def test_a_kommo_that_never_answers_holds_a_run_no_longer_than_it_was_given(database_url: str) -> None:
    async with received(database_url) as (world, (lead_id,)):
        async with httpx.AsyncClient(transport=Silent()) as silent, asyncio.timeout(20):  # less than any call may take
            await Worker(replace(world.resources, kommo_http=silent)).drain(grace_seconds=0.1, at_most=0.5)
        assert (await what_waits(world.resources)).deals == 2
        assert not _is_done(world, lead_id)
