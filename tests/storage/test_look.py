"""Short reads: what was committed is seen, one unit sees one state, nothing can be written."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from backend.storage.db import Database
from backend.storage.models import StripeConnection


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def _label(database: Database, label: str) -> None:
    async with database.write() as session:
        await session.merge(StripeConnection(id="con", account_id=7, label=label))


async def _seen(database: Database) -> str:
    async with database.look() as session:
        return (await session.get_one(StripeConnection, "con")).label


async def test_a_look_sees_what_was_committed_a_moment_ago(database: Database) -> None:
    for label in ("first", "second"):
        await _label(database, label)
        assert await _seen(database) == label


async def test_one_look_sees_one_state_on_sqlite(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL shows each statement what is committed by then")
    await _label(database, "before")
    async with database.look() as session:
        chosen = select(StripeConnection.label)
        assert (await session.exec(chosen)).one() == "before"
        await asyncio.create_task(_label(database, "after"))
        assert (await session.exec(chosen)).one() == "before"
    assert await _seen(database) == "after"


async def test_many_looks_at_once_wait_for_each_other_at_most(database: Database) -> None:
    await _label(database, "here")
    assert set(await asyncio.gather(*(_seen(database) for _ in range(60)))) == {"here"}


async def test_a_look_can_not_write_on_sqlite(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("a session of PostgreSQL's is the engine's")
    async with database.look() as session:
        session.add(StripeConnection(id="con", account_id=7))
        with pytest.raises(DBAPIError, match="readonly"):
            await session.flush()
