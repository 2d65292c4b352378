"""The door's own connection: it waits for other processes, goes before the worker, and comes back after a failure."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from backend.inbox.arrivals import Arrival
from backend.inbox.group_commit import Inbox
from backend.storage.db import Database
from backend.storage.models import AccountWork, InboxEvent

ARRIVAL = Arrival("con", 7, "evt_1", "payment_intent.succeeded", "", b'{"id":"evt_1"}', "new", 1_800_000_000.0)


async def _stored(database: Database) -> list[str]:
    async with database.read() as session:
        return sorted((await session.exec(select(InboxEvent.id))).all())


def _numbered(number: int) -> Arrival:
    return replace(ARRIVAL, id=f"evt_{number}")


async def test_a_group_waits_for_another_process_that_writes(database: Database, inbox: Inbox) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL locks rows")
    path = make_url(str(database.engine.url)).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        putting = asyncio.create_task(inbox.put(ARRIVAL))
        await asyncio.sleep(0.2)
        assert not putting.done()
        other.execute("COMMIT")
        await asyncio.wait_for(putting, 10)
    assert await _stored(database) == ["evt_1"]


async def test_a_group_waits_for_a_unit_of_this_process(database: Database, inbox: Inbox) -> None:
    await inbox.put(_numbered(0))
    async with database.write() as session:
        await session.exec(select(AccountWork).where(AccountWork.account_id == 7).with_for_update())
        putting = asyncio.create_task(inbox.put(ARRIVAL))
        await asyncio.sleep(0.1)
        assert not putting.done()
    await asyncio.wait_for(putting, 10)
    assert await _stored(database) == ["evt_0", "evt_1"]


async def test_what_can_not_be_stored_is_told_and_leaves_nothing_half_done(database: Database, inbox: Inbox) -> None:
    """No row of a group is stored without the others, no account is woken, and the next group is stored again."""
    async with database.write() as session:
        await (await session.connection()).execute(text("ALTER TABLE inbox_event RENAME TO elsewhere"))
    told = await asyncio.gather(*(inbox.put(_numbered(number)) for number in range(3)), return_exceptions=True)
    assert {type(one) for one in told} == {OperationalError}
    async with database.write() as session:
        await (await session.connection()).execute(text("ALTER TABLE elsewhere RENAME TO inbox_event"))
    async with database.read() as session:
        assert (await session.exec(select(AccountWork))).all() == []
    await inbox.put(ARRIVAL)
    assert await _stored(database) == ["evt_1"]


@pytest.mark.postgres
async def test_a_connection_that_the_server_closed_meanwhile_costs_no_webhook(database: Database, inbox: Inbox) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite is a file")
    await inbox.put(_numbered(0))
    async with database.read() as session:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await (await session.connection()).exec_driver_sql(f"{others} AND datname = current_database()")
    await inbox.put(ARRIVAL)
    assert await _stored(database) == ["evt_0", "evt_1"]


@pytest.mark.parametrize("states", [["ignored"], ["ignored", "ignored"], ["ignored", "new", "ignored"]])
async def test_a_group_may_hold_events_without_a_body(database: Database, inbox: Inbox, states: list[str]) -> None:
    arrivals = [replace(_numbered(number), state=state) for number, state in enumerate(states)]
    await asyncio.gather(*(inbox.put(one) for one in arrivals))
    async with database.read() as session:
        found = (await session.exec(select(InboxEvent).order_by(InboxEvent.id))).all()
    assert [(one.state, one.body is None) for one in found] == [(state, state == "ignored") for state in states]
