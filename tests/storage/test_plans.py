"""The plans of the statements that run all the time: with many rows, none of them reads a whole table."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event, func, text
from sqlmodel import col, select

from backend.admin.history.events import page_of_events
from backend.admin.payment_list.filters import Filter
from backend.admin.payment_list.pages import Place, page_of_lines
from backend.admin.payment_list.refresh import deals_behind
from backend.core.config import Settings
from backend.deal_sync import revisions, verify
from backend.inbox import store
from backend.ledger.deal import DealLedger
from backend.payments import refund
from backend.resources import Resources, open_resources
from backend.storage.models import Account, AccountWork, Deal, StripeConnection
from backend.storage.plain_reads import prepared
from backend.web.app import create_app
from backend.work_queue.leases import claim
from sandbox.clock import MovableClock

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.0
ROWS = 40_000
NOWHERE = "http://127.0.0.1:1"
ADMIN = "admin-token-of-the-tests"
BIG = "inbox_event|deal|ledger_entry|card_write|payment_line"
SCAN = re.compile(
    rf"Seq Scan on ({BIG})\b|SCAN ({BIG})(?! USING (?:COVERING )?INDEX (?:inbox_open|deal_dirty|deal_unlisted))"
)
SORT = re.compile(r"(?<!Incremental )Sort\b(?! Key)(?!ed)|TEMP B-TREE FOR ORDER BY")
NUMBERS = {
    "sqlite": f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT {{}} FROM n",  # noqa: S608
    "postgresql": f"SELECT {{}} FROM generate_series(1, {ROWS}) AS n(i)",  # noqa: S608
}
FEW = "i % 2000 = 0"
FILLED = {
    "inbox_event": {
        "connection_id": "'con'", "id": "'evt_' || i", "type": "'x'", "api_version": "''", "body": "NULL",
        "received_at": f"{NOW} - i", "state": f"CASE WHEN {FEW} THEN 'new' ELSE 'done' END", "source": "'webhook'",
        "attempts": "0", "next_try_at": "0", "error": "''",
    },
    "deal": {
        "account_id": "7", "lead_id": "i", "wanted": "2", "written": f"CASE WHEN {FEW} THEN 1 ELSE 2 END",
        "dirty_since": f"{NOW} - i", "next_try_at": "0", "attempts": "0", "audits": "0", "foreseen": "0",
        "look_again_at": f"CASE WHEN {FEW} THEN {NOW} + i ELSE NULL END", "state": "'known'", "problem": "''",
        "restored": "(1 = 0)", "listed": f"CASE WHEN {FEW} THEN 1 ELSE 2 END",
    },
    "ledger_entry": {
        "connection_id": "'con'", "id": "'pi_' || i", "kind": "'payment'", "facts": "'{}'", "account_id": "7",
        "ours": "(1 = 1)", "lead_id": "i",
    },
    "card_write": {
        "account_id": "7", "lead_id": "i", "kind": "'note'", "fact_id": "'payment:pi_' || i", "content": "'{}'",
        "state": "'done'", "epoch": "0", "sent_at": "0", "attempts": "0", "error": "''",
    },
    "payment_line": {
        "account_id": "7", "lead_id": "i", "id": "'pi_' || i", "is_payment": "(1 = 1)", "livemode": "(1 = 1)",
        "connection_id": "'con'", "at": f"{NOW} - i", "currency": "'EUR'", "amount": "100", "gone": "0",
        "state": "'paid'", "what": "'single'", "description": "''", "user_id": "0", "words": "'pi_' || i",
    },
}  # fmt: skip


@pytest.fixture
async def resources(database_url: str) -> AsyncIterator[Resources]:
    settings = Settings(
        _env_file=None, public_url=NOWHERE, database_url=database_url, secret_keys="a sealing key of the tests",
        admin_token=ADMIN,
    )  # fmt: skip
    async with open_resources(settings, MovableClock(lambda: NOW)) as opened:
        await _fill(opened)
        yield opened


async def _fill(resources: Resources) -> None:
    async with resources.database.write() as session:
        session.add(StripeConnection(id="con", account_id=7))
        session.add(Account(id=7, base_url="", tokens="", connected_at=NOW))
        session.add(AccountWork(account_id=7, wanted=1))
        await session.flush()
        connection = await session.connection()
        for table, columns in FILLED.items():
            chosen = NUMBERS[connection.dialect.name].format(", ".join(columns.values()))
            if connection.dialect.name == "postgresql":
                chosen = chosen.replace("'{}'", "'{}'::json")
            await connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) {chosen}"))
        await connection.exec_driver_sql("ANALYZE")


@contextmanager
def _heard(resources: Resources) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many and re.match(r"SELECT|UPDATE|DELETE", statement):
            said.append((statement, parameters))

    engine = resources.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", listen)
    yield said
    event.remove(engine, "before_cursor_execute", listen)


async def _plan(resources: Resources, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if resources.database.is_sqlite else "EXPLAIN"
    async with resources.database.read() as session:
        found = await (await session.connection()).exec_driver_sql(f"{explain} {statement}", parameters)
        return "\n".join(str(row[-1]) for row in found)


async def _everything_hot(resources: Resources) -> None:
    app = create_app(resources, admin_token=ADMIN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=NOWHERE) as http:
        await http.get("/readyz")
        await http.get("/metrics")
    assert await store.is_any_due(resources.database, 7, NOW)
    assert await claim(resources.database, "one", NOW)
    async with resources.database.write() as session:
        assert await store.take(session, 7, NOW)
        assert await store.next_due(session, 7) is not None
        assert await revisions.due(session, 7, NOW, (), 10)
        assert await revisions.is_any_due(session, 7, NOW, (1, 2))
        await revisions.touch_expired(session, 7, NOW + 1, 250)
        assert await revisions.next_due(session, 7) is not None
        page = await revisions.page_for(session, 7, [1, 2, 3], NOW)
        assert all(isinstance(one, DealLedger) for one in page.ledgers.values())
        await verify._due(session, 7, NOW)
        await verify.next_due(session, 7)
        await page_of_events(session, 7, state="dead")
        assert await refund._entry(session, 7, "pi_1")
        assert await deals_behind(session, 7) > 0
        deep = Place(NOW - ROWS / 2, "pi_1", 1)
        assert (await page_of_lines(session, 7, Filter(livemode=True), NOW, deep)).next is not None
        assert (await page_of_events(session, 7, after=f"{NOW - ROWS / 2!r}~evt_1")).next
        await session.rollback()


async def test_no_hot_statement_reads_a_whole_table(resources: Resources) -> None:
    with _heard(resources) as said:
        await _everything_hot(resources)
    if resources.database.is_sqlite:  # there a plain read does not use the engine
        statement, fixed = prepared(store.ANY_DUE.statement)
        said.append((statement, fixed | {"account_id": 7, "now": NOW}))
    assert len(said) > 12
    plans = {statement: await _plan(resources, statement, parameters) for statement, parameters in said}
    assert {statement: plan for statement, plan in plans.items() if SCAN.search(plan)} == {}


async def test_the_next_portion_is_found_without_reading_all_that_wait(resources: Resources) -> None:
    """A chunk of a backlog costs what a chunk costs: neither a sort of the whole backlog nor an update of it."""
    async with resources.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE inbox_event SET state = 'new'")
        await connection.execute(text("UPDATE deal SET look_again_at = :at - lead_id"), {"at": NOW})
        await connection.exec_driver_sql("ANALYZE")
    with _heard(resources) as said:
        async with resources.database.write() as session:
            assert len(await store.take(session, 7, NOW, 100)) == 100
            assert await store.next_due(session, 7) == 0
            await revisions.touch_expired(session, 7, NOW, 100)
            fresh = select(func.count()).where(col(Deal.dirty_since) == NOW)
            assert (await session.exec(fresh)).one() == 100
            await session.rollback()
    plans = {statement: await _plan(resources, statement, parameters) for statement, parameters in said[:-1]}
    assert {statement: plan for statement, plan in plans.items() if SORT.search(plan) or SCAN.search(plan)} == {}
