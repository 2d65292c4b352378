"""The clock was hours ahead and is set right: what waits for one of its moments waits no longer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.deal_sync import revisions
from backend.deal_sync.plan import IN_DOUBT
from backend.inbox.store import postpone, take
from backend.storage.db import Database
from backend.storage.models import CardWrite, Deal, InboxEvent, StripeConnection
from backend.work_queue.backoff import NEVER
from sandbox.clock import MovableClock
from tests.world import World, open_world

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.0
HOURS = 3 * 3600.0
DAY = 86400.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(database_url: str, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(database_url, clock=clock, more={"settle_seconds": 1}) as one:
        yield one


async def test_a_deal_is_written_although_kommo_asked_for_patience_before_the_clock_was_set_right(
    product: World, clock: MovableClock
) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    clock.advance(HOURS)
    product.kommo.faults.add("429_json", "/leads", method="GET")
    await product.pay(link)
    await product.quiet()
    assert not product.notes(lead_id)
    clock.set_back(HOURS)
    await product.until(lambda: bool(product.notes(lead_id)))


async def test_a_write_in_doubt_is_settled_soon_and_not_sent_twice(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    await product.quiet()
    clock.set_back(HOURS)
    async with product.resources.database.write() as session:
        await session.exec(update(CardWrite).where(col(CardWrite.kind) == "note").values(state="doubtful"))
        await session.exec(update(Deal).values(wanted=Deal.wanted + 1, dirty_since=clock()))
    while not await _settled(product, clock):  # noqa: ASYNC110 (the database wakes nobody)
        await asyncio.sleep(0.05)
    assert len(product.notes(lead_id)) == 1


async def _settled(product: World, clock: MovableClock) -> bool:
    product.resources.work_arrived.set()
    clock.advance(1)
    return all(write.state not in IN_DOUBT for write in await product.rows(CardWrite))


async def test_events_and_deals_that_were_put_off_are_due(database: Database) -> None:
    async with database.write() as session:
        session.add(StripeConnection(id="con", account_id=7))
        event = InboxEvent(connection_id="con", id="evt_1", type="x", received_at=NOW)
        postpone(event, NOW + DAY, "not yet")
        session.add_all((event, Deal(account_id=7, lead_id=1, wanted=1, next_try_at=NOW + DAY)))
        session.add(Deal(account_id=7, lead_id=2, wanted=1, next_try_at=NEVER))
        session.add(Deal(account_id=7, lead_id=3, wanted=1, next_try_at=NOW + HOURS))
    async with database.read() as session:
        assert [event.id for event in await take(session, 7, NOW)] == ["evt_1"]
        assert list(await revisions.due(session, 7, NOW, (), 10)) == [1]
