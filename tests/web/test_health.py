"""What an operator's tools see: of this process, and of all of them through the database."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text, update
from sqlalchemy.event import listen
from sqlmodel import select

from backend.admin.checkup import examine
from backend.core.config import Settings
from backend.resources import Resources, open_resources
from backend.storage.counters import count_up
from backend.storage.models import Account, InboxEvent, ProcessClock, StripeConnection
from backend.web.app import WEB_UNITS, create_app
from backend.web.readiness import BEAT_IS_OLD_SECONDS, INBOX_IS_OLD_SECONDS, LOOKS_AT_ONCE
from backend.work_queue.clocks import EXACT_SECONDS, FRESH_SECONDS, forget_clock, note_clock
from backend.work_queue.heartbeats import beat, leave
from sandbox.clock import MovableClock
from sandbox.serving import free_port
from tests.forks import FORKS
from tests.processes.child import live_web
from tests.web.holding import held
from tests.world import settings

NOWHERE = "http://127.0.0.1:1"
NOW = 1_800_000_000.0


OPERATOR = {"Authorization": "Bearer admin-token-of-the-tests"}


@dataclass
class Web:
    """A web process that started at ``NOW``; its worker is another process, played by the tests."""

    resources: Resources
    clock: MovableClock
    app: FastAPI
    http: httpx.AsyncClient

    async def ready(self) -> tuple[int, str, dict[str, str]]:
        answer = await self.http.get("/readyz")
        said = answer.json()
        return answer.status_code, said["status"], said["checks"]

    async def metrics(self) -> dict[str, float]:
        page = (await self.http.get("/metrics", headers=OPERATOR)).text
        return {name: float(value) for name, value in re.findall(r"^([^#\s]+) (\S+)$", page, re.MULTILINE)}

    async def add(self, *rows: object) -> None:
        async with self.resources.database.write() as session:
            session.add_all(rows)


@pytest.fixture
async def web(database_url: str, anyio_backend: str) -> AsyncIterator[Web]:
    settings = Settings(
        _env_file=None, public_url=NOWHERE, database_url=database_url, secret_keys="a sealing key of the tests",
        admin_token="admin-token-of-the-tests",
    )  # fmt: skip
    clock = MovableClock(lambda: NOW)
    async with open_resources(settings, clock) as resources:
        app = create_app(resources, admin_token="admin-token-of-the-tests")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=NOWHERE) as http:
            yield Web(resources, clock, app, http)


def event(
    name: str, state: str = "new", *, connection_id: str = "con", at: float = NOW, next_try_at: float = 0.0
) -> InboxEvent:
    row = InboxEvent(connection_id=connection_id, id=name, type="x", received_at=at, state=state)
    row.next_try_at = next_try_at
    return row


async def test_a_worker_that_falls_silent_is_seen_by_the_web(web: Web) -> None:
    assert (await web.http.get("/healthz")).json()["status"] == "ok"
    assert await web.ready() == (
        200,
        "ok",
        {"database": "ok", "worker": "ok", "inbox": "ok", "kommo": "ok", "clocks": "ok"},
    )
    web.clock.advance(BEAT_IS_OLD_SECONDS + 5)
    status, said, checks = await web.ready()
    assert (status, said, checks["worker"]) == (503, "unavailable", "no worker has looked for work for 35 s")
    await beat(web.resources.database, "one", NOW, web.clock())
    assert (await web.ready())[0] == 200
    web.clock.advance(BEAT_IS_OLD_SECONDS + 1)
    await beat(web.resources.database, "another", NOW, web.clock())
    assert (await web.ready())[0] == 200
    await leave(web.resources.database, "another")
    assert (await web.ready())[0] == 503


async def test_an_event_that_lies_is_seen_and_one_that_waits_for_its_time_is_not(web: Web) -> None:
    await web.add(StripeConnection(id="con", account_id=7), StripeConnection(id="early", account_id=None))
    await web.add(event("later", "postponed", next_try_at=NOW + 9999), event("dead", "dead"))
    await web.add(event("nobodys", connection_id="early"))
    web.clock.advance(INBOX_IS_OLD_SECONDS + 20)
    await beat(web.resources.database, "one", NOW, web.clock())
    assert (await web.ready())[0] == 200
    await web.add(event("lying", "postponed", next_try_at=NOW + 1))
    status, _, checks = await web.ready()
    assert (status, checks["inbox"]) == (503, "an event has been due for 319 s")


async def test_a_database_that_takes_no_write_is_seen(web: Web) -> None:
    async with web.resources.database.write() as session:
        await (await session.connection()).execute(text("DROP TABLE counted"))
    status, said, checks = await web.ready()
    assert (status, said) == (503, "unavailable")
    assert checks["database"].startswith("unavailable: ")


async def test_what_waits_and_how_old_tokens_are_is_measured(web: Web) -> None:
    await web.add(StripeConnection(id="con", account_id=7), event("one"), event("two", at=NOW + 3))
    await web.add(event("three", "done"))
    account = Account(id=7, base_url="", tokens="", connected_at=NOW, token_issued_at=NOW - 10)
    await web.add(account)
    web.clock.advance(30)
    seen = await web.metrics()
    assert (seen["inbox_pending"], seen["inbox_oldest_seconds"]) == (2, 30)
    assert seen['token_age_seconds{account="7"}'] == 40


async def test_counters_are_those_of_all_processes_together(web: Web) -> None:
    """Another process counted before it ended; a restart here starts from that."""
    before = await web.metrics()
    assert before["kommo_429_total"] >= 0
    ok, noted = ("kommo_calls", (("status", "200"),)), ("writes", (("kind", "note"), ("result", "done")))
    await count_up(web.resources.database, {ok: 5.0, ("kommo_429", ()): 2.0})
    await count_up(web.resources.database, {ok: 4.0, noted: 3.0})
    seen = await web.metrics()
    assert seen['kommo_calls_total{status="200"}'] - before.get('kommo_calls_total{status="200"}', 0) == 9
    assert seen["kommo_429_total"] - before["kommo_429_total"] == 2
    name = 'writes_total{kind="note",result="done"}'
    assert seen[name] - before.get(name, 0) == 3


@pytest.mark.parametrize(("ahead", "told"), [(-1.0, False), (30.0, True), (-30.0, True)])
async def test_hosts_whose_clocks_differ_are_told(web: Web, ahead: float, told: bool) -> None:
    """By how much this process differs from the database is no matter, as long as all differ alike. The clock here
    stands still, so seconds of the test's own add to the difference."""
    await note_clock(web.resources.database, "other:1", lambda: web.clock() + ahead)
    status, _, checks = await web.ready()
    findings = [one async for one in examine(web.resources) if one.what == "clocks"]
    assert (status, bool(findings)) == (200, told)
    assert ("clocks differ by" in checks["clocks"] and "other:1" in checks["clocks"]) == told
    assert (checks["clocks"] == "ok") != told
    await forget_clock(web.resources.database, "other:1")
    assert (await web.ready())[2]["clocks"] == "ok"


async def test_the_clock_of_a_process_that_is_long_gone_is_not_told(web: Web) -> None:
    await note_clock(web.resources.database, "gone:1", lambda: web.clock() + 60)
    async with web.resources.database.write() as session:
        await session.exec(update(ProcessClock).values(seen_at=ProcessClock.seen_at - FRESH_SECONDS))
    assert (await web.ready())[2]["clocks"] == "ok"


async def test_a_running_process_notes_its_clock(web: Web, tmp_path: Path) -> None:
    chosen = settings(str(web.resources.database.engine.url.render_as_string(hide_password=False)), port=free_port())
    process = FORKS.Process(target=live_web, args=(chosen, tmp_path / "log"), daemon=True)
    await asyncio.to_thread(process.start)
    try:
        async with asyncio.timeout(60):
            while not (rows := await _clocks(web)):  # noqa: ASYNC110 (a commit wakes nobody here)
                await asyncio.sleep(0.05)
        assert abs(rows[0].ahead) < EXACT_SECONDS
        process.terminate()
        await asyncio.to_thread(process.join, 30)
        assert await _clocks(web) == []
    finally:
        process.kill()


async def _clocks(web: Web) -> list[ProcessClock]:
    async with web.resources.database.read() as session:
        return list((await session.exec(select(ProcessClock))).all())


async def test_a_flood_of_looks_writes_one_a_second_and_hides_no_failure_for_longer(web: Web) -> None:
    """Anybody may ask, and a look is a write: it takes its turn among those of clients who pay."""
    await beat(web.resources.database, "worker", NOW, NOW)
    written: list[str] = []
    engine = web.resources.database.engine.sync_engine
    listen(engine, "before_cursor_execute", lambda *given: written.append(given[2]))
    assert {status for status, *_ in await asyncio.gather(*(web.ready() for _ in range(60)))} == {200}
    assert len([one for one in written if one.startswith("INSERT INTO counted ")]) < 10
    for _ in range(60):
        assert (await web.ready())[0] == 200
    assert len([one for one in written if one.startswith("INSERT INTO counted ")]) == LOOKS_AT_ONCE + 1
    async with web.resources.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE counted RENAME TO away"))
    web.clock.advance(1.1)
    assert (await web.ready())[0] == 503


async def test_a_web_that_is_busy_is_ready(web: Web) -> None:
    """Else a flood would have the process restarted, which does work."""
    await beat(web.resources.database, "worker", NOW, NOW)
    leave_now = asyncio.Event()
    share = web.app.state.resources.database
    busy = [await held(share, leave_now) for _ in range(WEB_UNITS)]
    async with asyncio.timeout(30):
        assert (await web.ready())[0] == 200
    leave_now.set()
    await asyncio.gather(*busy)
