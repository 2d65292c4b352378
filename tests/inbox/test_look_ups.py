"""Stripe hangs when it is asked about invoices: nothing else waits for it, and it is not asked again and again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from backend.inbox.backfill import PORTION, catch_up
from backend.inbox.process import ingest
from backend.storage.models import InboxEvent, StripeConnection
from backend.work_queue.leases import claim, release
from sandbox.stripe.traffic.faults import Fault
from tests.inbox.test_invoices import OTHER_LEAD, Shop, shop

__all__ = ["shop"]
LOOK_UP = "/v1/invoice_payments"
FAR_LESS_THAN_STRIPES_PATIENCE = 10.0


async def unexplained(shop: Shop, count: int) -> None:
    """So many invoices were paid in part, and the events that name the payments got lost."""
    for _ in range(count):
        shop.stripe.pay_invoice(shop.invoice(), 2000)
    shop.stripe.pay_invoice(shop.invoice(lead=OTHER_LEAD))


@pytest.fixture
async def silent() -> AsyncIterator[tuple[str, list[bytes]]]:
    """The address of a server that takes requests and never answers, and what it was asked."""
    asked: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        await reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    server.close()


async def test_a_turn_does_not_wait_for_a_stripe_that_hangs(shop: Shop, silent: tuple[str, list[bytes]]) -> None:
    address, asked = silent
    await unexplained(shop, 3)
    addresses = replace(shop.resources.addresses, stripe_api_base=address)
    resources = replace(shop.resources, addresses=addresses)
    await shop.store(without={"invoice_payment.paid", "payment_intent.succeeded"})
    taken = await claim(resources.database, "shop", shop.clock())
    assert taken is not None
    await asyncio.wait_for(ingest(resources, taken), FAR_LESS_THAN_STRIPES_PATIENCE)
    await release(resources.database, taken, wake_at=None)
    async with asyncio.timeout(20):
        while not asked:  # noqa: ASYNC110 (a server wakes nobody)
            await asyncio.sleep(0.02)
    assert len(asked) == 1
    await resources.beside.stop()


async def test_look_ups_stop_at_the_first_that_does_not_reach_stripe(shop: Shop) -> None:
    await unexplained(shop, 3)
    cut = Fault("cut_before", LOOK_UP, count=100)
    shop.stripe.faults.order(cut)
    await shop.hear(without={"invoice_payment.paid", "payment_intent.succeeded"})
    assert 100 - cut.count == 3  # one call, which the client tries three times


async def test_missed_events_are_stored_in_portions(shop: Shop) -> None:
    for _ in range(130):
        shop.stripe.pay_invoice(shop.invoice())
    shop.clock.advance(3600)
    engine, sizes = shop.resources.database.engine.sync_engine, []

    @event.listens_for(engine, "before_cursor_execute")
    def _count(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("INSERT INTO inbox_event"):
            one_by_one = isinstance(parameters, list)
            sizes.append(len(parameters) if one_by_one else len(parameters) // len(InboxEvent.model_fields))

    async with shop.resources.database.read() as session:
        (connection,) = (await session.exec(select(StripeConnection))).all()
    brought = await catch_up(shop.resources, connection, shop.clock() - 7200)
    assert (brought > PORTION, sum(sizes), max(sizes)) == (True, brought, PORTION)
    assert await catch_up(shop.resources, connection, shop.clock() - 7200) == 0
