"""A plain read says what the engine says, changes nothing, and is there again after a failure; a plain write is made at
once where nobody else writes, and after the others where somebody does."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from backend.storage.database_share import DatabaseShare
from backend.storage.db import Database
from backend.storage.models import Integration
from backend.storage.models.rate_limits import Rate
from backend.storage.plain_reads import PlainRead
from backend.storage.plain_writes import PlainWrite

BY_ID = PlainRead(
    select(col(Integration.client_id), col(Integration.label)).where(col(Integration.client_id) == bindparam("id"))
)

ZEROS = {"next_at": 0.0, "awake_since": 0.0, "hold_until": 0.0, "blocked_at": 0.0, "probe_at": 0.0}


def counting(insert: Any) -> Any:
    added = insert.values(account_id=bindparam("row"), refusals=1, **ZEROS)
    up = {"refusals": Rate.refusals + 1}
    below = Rate.refusals < bindparam("most")
    return added.on_conflict_do_update(index_elements=["account_id"], set_=up, where=below).returning(Rate.refusals)


COUNT = PlainWrite(Rate, counting)


@pytest.mark.parametrize("is_share", [False, True])
async def test_a_row_is_read_as_soon_as_it_is_committed(database_url: str, is_share: bool) -> None:
    whole = Database(database_url)
    database = DatabaseShare(whole, 2) if is_share else whole
    assert await BY_ID.first(database, id="one") is None
    async with whole.write() as session:
        session.add(Integration(client_id="one", label="First", secret="", redirect_uri=""))
        await session.flush()
        if whole.is_sqlite:
            assert await BY_ID.first(database, id="one") is None
    assert await BY_ID.first(database, id="one") == ("one", "First")
    await whole.close()


async def test_after_a_failure_the_next_read_is_answered(database_url: str) -> None:
    database = Database(database_url)
    async with database.write() as session:
        session.add(Integration(client_id="one", label="First", secret="", redirect_uri=""))
    await _rename(database, "integration", "elsewhere")
    with pytest.raises(DBAPIError):
        await BY_ID.first(database, id="one")
    await _rename(database, "elsewhere", "integration")
    assert await BY_ID.first(database, id="one") == ("one", "First")
    await database.close()


async def test_the_row_is_returned_and_none_where_nothing_was_written(database_url: str) -> None:
    database = Database(database_url)
    assert [await COUNT.first(database, row=7, most=2) for _ in range(3)] == [(1,), (2,), None]
    await database.close()


async def test_it_waits_for_a_unit_that_is_being_written(database_url: str) -> None:
    database = Database(database_url)
    await COUNT.first(database, row=7, most=9)
    async with database.write() as session:
        await (await session.connection()).execute(text("UPDATE rate SET refusals = 5 WHERE account_id = 7"))
        writing = asyncio.create_task(COUNT.first(database, row=7, most=9))
        await asyncio.sleep(0.05)
        assert not writing.done()
    assert await writing == (6,)
    assert await COUNT.first(database, row=7, most=9) == (7,)
    await database.close()


async def _rename(database: Database, old: str, new: str) -> None:
    async with database.write() as session:
        await (await session.connection()).execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
