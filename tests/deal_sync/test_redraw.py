"""All deals of an account are written anew in portions, behind whatever is newer."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlmodel import col, select

from backend.core.config import Settings
from backend.core.errors import NotConnected
from backend.deal_sync.fetch import read_due
from backend.deal_sync.redraw import PORTION, mark_portion
from backend.deal_sync.revisions import due
from backend.resources import Resources, open_resources
from backend.storage.models import Account, Deal
from backend.work_queue.leases import Claim, claim
from backend.work_queue.wakeups import mark_dirty, request_redraw
from sandbox.clock import MovableClock

ACCOUNT, DEALS = 31, 600
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
async def resources(database_url: str) -> AsyncIterator[Resources]:
    """An account with 600 deals, all written."""
    settings = Settings(
        _env_file=None, public_url=NOWHERE, database_url=database_url, secret_keys="a sealing key of the tests",
        admin_token="admin-token-of-the-tests", kommo_base_url=NOWHERE, stripe_api_base=NOWHERE,
    )  # fmt: skip
    async with open_resources(settings, MovableClock()) as opened:
        async with opened.database.write() as session:
            session.add(Account(id=ACCOUNT, base_url=NOWHERE, tokens="", connected_at=0, currency="EUR"))
            await session.flush()
            await mark_dirty(session, ACCOUNT, range(1, DEALS + 1), opened.clock())
        async with opened.database.write() as session:
            for deal in (await session.exec(select(Deal))).all():
                deal.written = deal.wanted
                session.add(deal)
        yield opened


async def _claimed(resources: Resources) -> Claim:
    taken = await claim(resources.database, "worker", resources.clock())
    assert taken is not None
    return taken


async def _dirty(resources: Resources) -> set[int]:
    async with resources.database.read() as session:
        found = await session.exec(select(Deal.lead_id).where(col(Deal.written) < col(Deal.wanted)))
        return set(found.all())


async def test_asking_for_it_touches_no_deal(resources: Resources) -> None:
    async with resources.database.write() as session:
        await request_redraw(session, ACCOUNT)
    assert await _dirty(resources) == set()


async def test_portions_end_with_every_deal_marked(resources: Resources) -> None:
    async with resources.database.write() as session:
        await request_redraw(session, ACCOUNT)
    taken = await _claimed(resources)
    sizes = []
    while await mark_portion(resources, taken):
        sizes.append(len(await _dirty(resources)))
    assert sizes == [PORTION, 2 * PORTION, DEALS]
    assert not await mark_portion(resources, taken)


async def test_a_fresh_payment_waits_for_one_portion_at_the_most(resources: Resources) -> None:
    async with resources.database.write() as session:
        await request_redraw(session, ACCOUNT)
    await mark_portion(resources, await _claimed(resources))
    async with resources.database.write() as session:
        await mark_dirty(session, ACCOUNT, [DEALS], resources.clock())
        next_deals = await due(session, ACCOUNT, resources.clock() + 1, [], PORTION + 1)
    assert DEALS in next_deals


async def test_a_midnight_of_due_requests_marks_one_call_of_deals(
    resources: Resources,
) -> None:
    """Else its unit of work stops the webhooks, and a fresh payment waits behind all these deals."""
    async with resources.database.write() as session:
        await mark_dirty(session, ACCOUNT, [DEALS], resources.clock())
        await session.exec(update(Deal).values(look_again_at=1.0))
        await session.exec(update(Account).values(state="reconnect"))  # Kommo is not asked
    taken, most = await _claimed(resources), resources.pace.reads.of(ACCOUNT)
    for _ in range(2):  # the second one finds a full call of deals to fetch, and marks no more
        with pytest.raises(NotConnected):
            await read_due(resources, taken, frozenset())
        assert len(await _dirty(resources)) == most < DEALS
    assert DEALS in await _dirty(resources)


async def test_marking_many_deals_is_one_statement(resources: Resources) -> None:
    statements: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = resources.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", heard)
    async with resources.database.write() as session:
        await mark_dirty(session, ACCOUNT, range(1, DEALS + 1), resources.clock())
    event.remove(engine, "before_cursor_execute", heard)
    assert sum("INSERT INTO deal" in one for one in statements) == 1
