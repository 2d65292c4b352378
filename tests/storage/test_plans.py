"""The plans of the statements that run all the time: with many rows, none of them reads a whole table."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event, func, text
from sqlmodel import col, select

from backend.admin import attach
from backend.admin.history.audit import page_of_audit
from backend.admin.history.events import page_of_events
from backend.admin.payment_list.filters import Filter
from backend.admin.payment_list.pages import Place, page_of_lines
from backend.admin.payment_list.refresh import deals_behind
from backend.automation.bot_steps import store as bot_store
from backend.automation.bot_steps.receive import unfinished_bots
from backend.automation.reminders.replies import link_messages
from backend.automation.rules import store as rule_store
from backend.automation.rules.receive import _waiting
from backend.automation.sendings.store import drop_waiting
from backend.cli.events import newest_events
from backend.core.config import Settings
from backend.deal_sync import revisions, verify
from backend.inbox import store
from backend.ledger.absorb import LedgerBatch
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.ledger.merged_deals import merged_into
from backend.payments import refund
from backend.payments.deal.merging import Sharing, _sharing
from backend.payments.deal.related import _moved_to, _paid_by
from backend.resources import Resources, open_resources
from backend.storage.models import Account, AccountWork, Deal, LedgerEntry, PaymentRequest, Sending, StripeConnection
from backend.storage.plain_reads import prepared
from backend.web.app import create_app
from backend.work_queue.leases import claim
from sandbox.clock import MovableClock

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.0
ROWS = 40_000
NOWHERE = "http://127.0.0.1:1"
ADMIN = "admin-token-of-the-tests"
BIG = (
    "inbox_event|deal|ledger_entry|ledger_link|card_write|payment_line|payment_request|sending|audit|"
    "stage_entry|bot_step"
)
SCAN = re.compile(
    rf"Seq Scan on ({BIG})\b|SCAN ({BIG})(?! USING (?:COVERING )?INDEX (?:inbox_open|deal_dirty|deal_unlisted))"
)
ORDERED = (
    "inbox_open|inbox_received|deal_dirty|deal_look_again|deal_missing|deal_unlisted|deal_audit|sending_due|audit_of_account|"
    "stage_entry_open|bot_step_open|payment_request_ends|payment_request_reminds|payment_line_newest|audit_attached"
)
"""Indexes that hold only what waits, or that are read in order up to a limit."""
PREFIX = re.compile(
    rf"SEARCH ({BIG}) USING (?:COVERING )?INDEX (?!{ORDERED}|.*AND)\w+ \((account_id|connection_id)=\?\)", re.MULTILINE
)
"""SQLite reads all rows of an account or of a connection."""
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
        "ours": "(1 = 1)", "lead_id": "i", "request_id": "'req_' || i",
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
    "ledger_link": {"connection_id": "'con'", "child": "'pi_' || i", "parent": "'cs_' || i"},
    "payment_request": {
        "account_id": "7", "id": "'req_' || i", "connection_id": "'con'", "lead_id": "i", "contact_id": "i",
        "amount": "100", "currency": "'EUR'", "description": "''", "mode": "'payment'", "kind": "'full'",
        "content": "''", "user_id": "0", "link_token": "'t' || i", "session_n": "1", "tries": "0", "created_at": "0",
    },
    "sending": {
        "account_id": "7", "id": "'s' || i", "origin": "'reminder'", "origin_key": "''", "origin_name": "''",
        "user_id": "0", "lead_id": "i", "request_id": "'req_' || i", "channels": "'[]'", "refusals": "'[]'",
        "text": "''", "state": "'done'", "channel": "'bot'", "delivery": "''", "reason": "''", "detail": "''",
        "message_id": "''", "attempts": "0", "epoch": "0", "created_at": "0", "sent_at": "1", "reached_at": "0",
    },
    "audit": {
        "at": "0", "account_id": "7", "who": "'writer'", "what": "'fields restored'",
        "before": "'{}'", "after": "'{}'",
    },
    "stage_entry": {
        "account_id": "7", "id": "'s' || i", "lead_id": "i", "rule_id": "'r' || i", "root_id": "'r'",
        "inside": "(1 = 0)", "received_at": "i", "state": "'done'", "content": "'{}'", "outcome": "''",
        "attempts": "0", "next_try_at": "0",
    },
    "bot_step": {
        "account_id": "7", "id": "'s' || i", "lead_id": "i", "step": "''", "rule_id": "''", "path": "''",
        "received_at": "i", "seen": "0", "state": "'done'", "answer": "'{}'", "outcome": "''", "attempts": "0",
        "next_try_at": "0",
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
                chosen = chosen.replace("'{}'", "'{}'::json").replace("'[]'", "'[]'::json")
            await connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) {chosen}"))
        if connection.dialect.name == "postgresql":  # SQLite gets no statistics in production either
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


async def test_what_concerns_one_deal_reads_no_whole_account(resources: Resources) -> None:
    """Payments, links, messages, hooks, bots and the log: of each, an account has a hundred thousand in time."""
    one = PaymentRequest(
        account_id=7, id="req_1", connection_id="con", lead_id=1, contact_id=1, amount=1, currency="EUR",
        description="", content="", link_token="",
    )  # fmt: skip
    account = Account(id=7, base_url="", tokens="", connected_at=NOW)
    with _heard(resources) as said:
        async with resources.database.write() as session:
            assert await LedgerBatch(session, "con", 7).below(["cs_1"]) == {"cs_1", "pi_1"}
            await merged_into(session, 7, [1])
            await load_deals(session, account, [1, 2], NOW)
            entry = await session.get_one(LedgerEntry, ("con", "pi_1"))
            await attach._is_alone(session, entry)
            await attach._attach(session, "con", [], [one], 1)
            await _moved_to(session, 7, 1)
            await _paid_by(session, {1}, 7, 2)
            assert await _sharing(session, Sharing(7, 2, (1,), ("pi_3",))) == [3, 1]
            await session.exec(select(func.max(Sending.sent_at)).where(*link_messages(one)))
            await drop_waiting(session, 7, "switched_off")
            await rule_store.due(session, 7, NOW, 10)
            await rule_store.next_due(session, 7)
            await rule_store.our_writes(session, 7, 1)
            await _waiting(session, 7)
            await bot_store.due(session, 7, NOW, 10, may_wait=True)
            await bot_store.next_due(session, 7, may_wait=True)
            await session.exec(unfinished_bots(7))
            await page_of_audit(session, 7)
            assert await store.replay(session, ["evt_1", "evt_2"]) == 0
            for state in ("", "dead"):
                await newest_events(session, state, 50)
            await session.rollback()
        await attach.accounts_of(resources, "pi_1")
    plans = {statement: await _plan(resources, statement, parameters) for statement, parameters in said}
    assert {one: plan for one, plan in plans.items() if SCAN.search(plan) or PREFIX.search(plan)} == {}


async def test_the_next_portion_is_found_without_reading_all_that_wait(resources: Resources) -> None:
    """A chunk of a backlog costs what a chunk costs: neither a sort of the whole backlog nor an update of it."""
    async with resources.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE inbox_event SET state = 'new'")
        await connection.execute(text("UPDATE deal SET look_again_at = :at - lead_id"), {"at": NOW})
        if not resources.database.is_sqlite:
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
