"""The inbox: durable when ``put`` returns, one row an event, whatever comes together."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlmodel import select

from backend.core.vault import Vault
from backend.inbox.arrivals import Arrival, read_body
from backend.inbox.group_commit import Inbox
from backend.inbox.store import bury, finish, next_due, postpone, replay, take
from backend.storage.db import Database
from backend.storage.models import AccountWork, InboxEvent, StripeConnection

NOW = 1_800_000_000.0
VAULT = Vault(["a key of the tests"])
ARRIVAL = Arrival("con", 7, "evt_1", "payment_intent.succeeded", "", b'{"id":"evt_1"}', "new", NOW)


async def _events(database: Database) -> list[InboxEvent]:
    async with database.read() as session:
        return list((await session.exec(select(InboxEvent))).all())


async def test_an_event_that_was_put_is_there_with_its_body(database: Database, inbox: Inbox) -> None:
    await inbox.put(ARRIVAL)
    (event,) = await _events(database)
    assert read_body(VAULT, event) == {"id": "evt_1"}


async def test_a_second_delivery_changes_nothing(database: Database, inbox: Inbox) -> None:
    await inbox.put(ARRIVAL)
    await inbox.put(replace(ARRIVAL, body=b'{"id":"other"}'))
    (event,) = await _events(database)
    assert read_body(VAULT, event) == {"id": "evt_1"}


async def test_a_hundred_together_are_a_hundred_rows(database: Database, inbox: Inbox) -> None:
    await asyncio.gather(*(inbox.put(replace(ARRIVAL, id=f"evt_{n % 100}")) for n in range(200)))
    assert len(await _events(database)) == 100


async def test_the_wake_up_is_in_the_same_commit(database: Database, inbox: Inbox) -> None:
    await inbox.put(ARRIVAL)
    async with database.read() as session:
        work = await session.get_one(AccountWork, 7)
    assert work.wanted > work.done


async def test_whose_connection_was_taken_by_an_account_a_moment_ago_wakes_that_account(
    database: Database, inbox: Inbox
) -> None:
    """The door remembers a connection for a moment; what it remembers may be that nobody had it yet."""
    await inbox.put(replace(ARRIVAL, account_id=None))
    async with database.read() as session:
        work = await session.get_one(AccountWork, 7)
    assert work.wanted > work.done


async def test_what_we_do_not_react_to_is_kept_without_its_body(database: Database, inbox: Inbox) -> None:
    await inbox.put(replace(ARRIVAL, state="ignored"))
    (event,) = await _events(database)
    assert (event.state, event.body) == ("ignored", None)


async def test_the_body_is_sealed(database: Database, inbox: Inbox) -> None:
    await inbox.put(replace(ARRIVAL, body=b'{"email":"canary@client.example"}'))
    (event,) = await _events(database)
    assert event.body is not None
    assert b"canary" not in event.body


async def test_a_caller_that_waits_is_told_that_nothing_was_stored(database: Database, inbox: Inbox) -> None:
    await database.close()
    async with database.write() as session:
        await (await session.connection()).execute(text("DROP TABLE inbox_event"))
    with pytest.raises(Exception, match="inbox_event"):
        await inbox.put(ARRIVAL)


async def test_only_what_is_due_is_taken_oldest_first(database: Database, inbox: Inbox) -> None:
    await inbox.put(replace(ARRIVAL, id="evt_late", received_at=NOW + 5))
    await inbox.put(ARRIVAL)
    async with database.write() as session:
        waiting = await session.get_one(InboxEvent, ("con", "evt_late"))
        assert [event.id for event in await take(session, 7, NOW)] == ["evt_1", "evt_late"]
        postpone(waiting, NOW, "too early")
        session.add(waiting)
    async with database.read() as session:
        assert [event.id for event in await take(session, 7, NOW + 1)] == ["evt_1"]
        assert [event.id for event in await take(session, 7, NOW + 2)] == ["evt_1", "evt_late"]


async def test_a_fresh_event_is_taken_before_replayed_ones(database: Database, inbox: Inbox) -> None:
    """A payment waits for no replay of years."""
    await inbox.put(ARRIVAL)
    await inbox.put(replace(ARRIVAL, id="evt_fresh", received_at=NOW + 5))
    async with database.write() as session:
        assert await replay(session, ["evt_1"], account_id=7) == 1
    async with database.read() as session:
        assert [event.id for event in await take(session, 7, NOW)] == ["evt_fresh", "evt_1"]
        assert [event.id for event in await take(session, 7, NOW, 1)] == ["evt_fresh"]


async def test_events_of_several_connections_are_taken_in_one_order(database: Database, inbox: Inbox) -> None:
    async with database.write() as session:
        session.add_all(StripeConnection(id=f"con{number}", account_id=7) for number in range(3))
    for number in range(9):
        arrival = replace(ARRIVAL, connection_id=f"con{number % 3}", id=f"evt_{number}", received_at=NOW + number)
        await inbox.put(arrival)
    async with database.read() as session:
        assert [event.id for event in await take(session, 7, NOW)] == [f"evt_{number}" for number in range(9)]
        assert [event.id for event in await take(session, 7, NOW, 4)] == [f"evt_{number}" for number in range(4)]
        assert await next_due(session, 7) == 0
        assert await next_due(session, 8) is None


async def test_another_accounts_events_are_not_taken(database: Database, inbox: Inbox) -> None:
    await inbox.put(ARRIVAL)
    async with database.read() as session:
        assert await take(session, 8, NOW) == []


def test_a_foreign_event_loses_its_body() -> None:
    event = InboxEvent(connection_id="con", id="evt_1", type="x", body=b"sealed", received_at=NOW)
    finish(event, "foreign")
    assert (event.state, event.body) == ("foreign", None)


def test_waits_grow_and_end_after_thirty_days() -> None:
    event = InboxEvent(connection_id="con", id="evt_1", type="x", received_at=NOW, next_try_at=NOW)
    waits = []
    while event.state != "dead":
        now = event.next_try_at
        postpone(event, now, "too early")
        waits.append(event.next_try_at - now)
    assert waits[:9] == [2, 10, 60, 300, 1800, 7200, 21600, 21600, 21600]
    assert 30 <= (now - NOW) / 86400 < 30.25
    assert event.error == "too early"


async def test_a_buried_event_is_named_and_can_be_replayed(database: Database, inbox: Inbox) -> None:
    await inbox.put(ARRIVAL)
    await inbox.put(replace(ARRIVAL, id="evt_2"))
    async with database.write() as session:
        dead, done = [await session.get_one(InboxEvent, ("con", name)) for name in ("evt_1", "evt_2")]
        bury(dead, "`amount` is no amount")
        finish(done)
        session.add_all([dead, done])
    async with database.write() as session:
        assert await replay(session, ["evt_1"]) == 1
    dead, done = sorted(await _events(database), key=lambda event: event.id)
    assert (dead.state, dead.error, done.state) == ("new", "", "done")
