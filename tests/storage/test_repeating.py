"""A unit of work that the database ends to break a deadlock is run again whole."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.storage.db import Database
from backend.storage.repeating import TRIES, repeated

pytestmark = pytest.mark.anyio


class Ended(Exception):
    """PostgreSQL's deadlock_detected, as its driver raises it."""

    sqlstate = "40P01"


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[Database]:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one lock, so nobody waits in a circle")
    database = Database(database_url)
    async with database.write() as session:
        connection = await session.connection()
        await connection.execute(text("CREATE TABLE pair (id int primary key, held int)"))
        await connection.execute(text("INSERT INTO pair VALUES (1, 0), (2, 0)"))
    yield database
    await database.close()


async def test_two_units_that_wait_for_each_other_both_end_well(postgres: Database) -> None:
    both_hold_one = asyncio.Barrier(2)

    @repeated
    async def take(first: int, second: int) -> None:
        async with postgres.write() as session:
            connection = await session.connection()
            await connection.execute(text("UPDATE pair SET held = held + 1 WHERE id = :id"), {"id": first})
            with suppress(asyncio.BrokenBarrierError, TimeoutError):
                await asyncio.wait_for(both_hold_one.wait(), 1)
            await connection.execute(text("UPDATE pair SET held = held + 1 WHERE id = :id"), {"id": second})

    await asyncio.gather(take(1, 2), take(2, 1))
    async with postgres.read() as session:
        held = await (await session.connection()).execute(text("SELECT held FROM pair ORDER BY id"))
        assert [row[0] for row in held] == [2, 2]


async def test_a_unit_that_is_ended_each_time_raises_the_last_error() -> None:
    calls = 0

    @repeated
    async def unlucky() -> None:
        nonlocal calls
        calls += 1
        raise DBAPIError("UPDATE", None, Ended())

    with pytest.raises(DBAPIError):
        await unlucky()
    assert calls == TRIES


async def test_another_error_of_the_database_is_raised_at_once() -> None:
    calls = 0

    @repeated
    async def wrong() -> None:
        nonlocal calls
        calls += 1
        raise DBAPIError("UPDATE", None, ValueError("no such column"))

    with pytest.raises(DBAPIError):
        await wrong()
    assert calls == 1
