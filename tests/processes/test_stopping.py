"""SIGTERM: a worker finishes what it has begun, or hands it back, and ends well."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from backend.core.config import Settings
from backend.storage.migrations import LOCK as MIGRATION_LOCK
from backend.storage.models import AccountWork, CardWrite, WorkerBeat
from tests.accounts.tokens.test_database_away import locked
from tests.forks import FORKS
from tests.postgres import empty_database
from tests.processes.child import live
from tests.processes.test_takeover import caught, is_paid, patches
from tests.processes.workers import Workers, open_workers


@pytest.fixture
async def workers(database_url: str, tmp_path: Path) -> AsyncIterator[Workers]:
    """In a world of their own: what other tests left would be begun first."""
    async with open_workers(database_url, tmp_path, settle_seconds=0) as opened:
        yield opened


async def test_what_was_begun_is_finished_and_the_account_given_back(workers: Workers) -> None:
    lead_id = await caught(workers, "a", patches)
    workers.signal("a", signal.SIGTERM)
    await asyncio.sleep(0.2)
    workers.traffic.go.set()
    assert await workers.ended("a") == 0
    assert len(workers.product.notes(lead_id)) == 1
    assert {write.state for write in await workers.product.rows(CardWrite)} == {"done"}
    assert [work.owner for work in await workers.product.rows(AccountWork)] == [""]
    assert await workers.product.rows(WorkerBeat) == []


@pytest.mark.postgres
def test_a_process_stopped_while_it_waits_for_a_migration_ends_cleanly(postgres_url: str, tmp_path: Path) -> None:
    with empty_database(postgres_url) as url, psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        chosen = Settings(
            _env_file=None, public_url="http://127.0.0.1:1", database_url=url, secret_keys="a sealing key of the tests",
            admin_token="admin-token-of-the-tests",
        )  # fmt: skip
        process = FORKS.Process(target=live, args=(chosen, "", tmp_path / "board", tmp_path / "log"), daemon=True)
        process.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        while other.execute(waiting).fetchone() == (0,):
            assert process.is_alive()
        process.terminate()
        other.execute("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))
        process.join(20)
        assert process.exitcode == 0


@pytest.mark.full
async def test_a_process_ends_within_twenty_seconds_though_sqlite_is_locked_from_outside(workers: Workers) -> None:
    if not workers.database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has no such lock")
    lead_id = await caught(workers, "a", patches)
    with locked(workers.database_url):
        workers.traffic.go.set()
        await asyncio.sleep(1.0)
        started = time.monotonic()
        workers.signal("a", signal.SIGTERM)
        assert await workers.ended("a", 30) == 0
        seconds = time.monotonic() - started
    print(f"ended after {seconds:.1f} s")
    assert seconds < 20
    await workers.start("b")
    await is_paid(workers, lead_id)


@pytest.mark.full
async def test_what_can_not_be_finished_is_handed_back_within_twenty_seconds(workers: Workers) -> None:
    """Kommo keeps silent; the next worker need not wait for the lease."""
    lead_id = await caught(workers, "a", patches)
    started = time.monotonic()
    workers.signal("a", signal.SIGTERM)
    assert await workers.ended("a") == 0
    print(f"ended after {time.monotonic() - started:.1f} s")
    assert [work.owner for work in await workers.product.rows(AccountWork)] == [""]
    await workers.start("b")
    await workers.product.until(lambda: workers.traffic.of("b"), 5)
    await is_paid(workers, lead_id)
