"""Work made by one process is begun by another: told at once where the database can tell, seen by looking elsewhere."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from backend.core.vault import Vault
from backend.inbox.arrivals import Arrival
from backend.inbox.group_commit import Inbox
from backend.storage.db import ASLEEP_SECONDS, Database
from backend.storage.migrations import upgrade
from backend.storage.models import StripeConnection
from backend.work_queue.leases import LEASE_SECONDS, claim
from backend.work_queue.presence import present
from backend.work_queue.wakeups import CHANNEL, request_work
from tests.postgres import empty_database
from tests.processes.pooler import pooling
from tests.processes.test_takeover import caught, is_paid, paid, patches, settled_in
from tests.processes.workers import Workers, open_workers


async def test_another_processs_work_is_begun_without_waiting_for_a_lease(workers: Workers) -> None:
    await workers.start("a")
    await settled_in(workers, "a")
    lead_id = workers.product.lead()
    await workers.product.link(lead_id)
    made = time.monotonic()
    await workers.product.until(lambda: workers.traffic.of("a"))
    seconds = workers.traffic.of("a")[0].begun - made
    print(f"begun after {seconds:.2f} s")
    assert seconds < LEASE_SECONDS / 2  # how fast it really is, `run.py bench wake` says
    await workers.product.until(lambda: "STRIPE_PAYMENT_LINK" in workers.product.fields(lead_id))


@pytest.fixture
async def database(postgres_url: str, anyio_backend: str) -> AsyncIterator[Database]:
    with empty_database(postgres_url) as url:
        database = Database(url)
        await upgrade(database)
        yield database
        await database.close()


@pytest.mark.postgres
async def test_postgres_notifies_listeners_with_the_commit_and_not_before(database: Database) -> None:
    news = asyncio.Event()
    async with present(database, news, os.urandom) as presence:
        assert presence.lock
        await asyncio.sleep(0.1)
        news.clear()
        async with database.write() as session:
            await request_work(session, 7)
            await asyncio.sleep(0.1)
            assert not news.is_set()
        await asyncio.wait_for(news.wait(), 2)


@pytest.mark.postgres
async def test_a_group_of_events_is_told_once(database: Database) -> None:
    async with database.write() as session:
        session.add(StripeConnection(id="con", account_id=7))
    inbox = Inbox(database, Vault(["a key of the tests"]), asyncio.Event())
    event = Arrival("con", 7, "evt", "payment_intent.succeeded", "", b"{}", "new", 1.8e9)
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as ear:
        await ear.execute(f"LISTEN {CHANNEL}")
        await asyncio.gather(*(inbox.put(replace(event, id=f"evt_{number}")) for number in range(50)))
        heard = [told async for told in ear.notifies(timeout=0.3)]
    assert 1 <= len(heard) <= 3


@pytest.mark.postgres
async def test_a_worker_whose_session_breaks_off_comes_back_with_the_same_lock(database: Database) -> None:
    news = asyncio.Event()
    async with present(database, news, os.urandom) as presence:
        lock = presence.lock
        async with database.read() as session:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            await (await session.connection()).exec_driver_sql(f"{others} AND datname = current_database()")
        await until(lambda: presence.lock == 0)
        assert await presence.dead([lock]) == set()
        await until(lambda: presence.lock == lock)
        assert await presence.dead([lock]) == set()
        assert await presence.dead([lock]) == set()


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not come true within 5 seconds")


@pytest.mark.postgres
async def test_a_worker_that_sleeps_in_a_transaction_holds_its_rows_only_for_a_while(database: Database) -> None:
    """The server throws it out; the shorter time of this one spares the test the wait."""
    async with database.write() as session:
        await request_work(session, 7)
    with pytest.raises(DBAPIError, match="idle-in-transaction"):
        await sleep_with_its_row(database)
    await _until_claimed(database)


async def _until_claimed(database: Database) -> None:
    """The server tells its client before it lets go of the client's rows."""
    for _ in range(500):
        if await claim(database, "another", 1.8e9) is not None:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the rows were not free within 10 seconds")


async def sleep_with_its_row(database: Database) -> None:
    async with database.write() as session:
        connection = await session.connection()
        asleep = await connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")
        assert asleep.scalar() == f"{ASLEEP_SECONDS}s"
        await request_work(session, 7)
        assert await claim(database, "another", 1.8e9) is None
        await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
        await asyncio.sleep(1)


@pytest.mark.postgres
async def test_behind_a_pooler_by_transaction_looking_and_leases_are_enough(
    postgres_url: str, tmp_path: Path, anyio_backend: str
) -> None:
    with empty_database(postgres_url) as url:
        async with open_workers(url, tmp_path, settle_seconds=0) as workers, pooling(url) as pooled:
            lead_id = await caught(workers, "a", patches, database_url=pooled)
            assert "notifications unavailable" in workers.log("a")
            workers.signal("a", signal.SIGKILL)
            await workers.start("b", database_url=pooled)
            await settled_in(workers, "b")
            workers.clock.advance(LEASE_SECONDS + 1)
            await is_paid(workers, lead_id)
            await is_paid(workers, await paid(workers))
            assert "Traceback" not in workers.log("b")
