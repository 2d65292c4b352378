"""A plain write is made at once where nobody else writes, and after the others where somebody does."""

import asyncio
from typing import Any

from sqlalchemy import bindparam, text

from backend.storage.db import Database
from backend.storage.models.rate_limits import Rate
from backend.storage.plain_writes import PlainWrite

ZEROS = {"next_at": 0.0, "awake_since": 0.0, "hold_until": 0.0, "blocked_at": 0.0, "probe_at": 0.0}


def counting(insert: Any) -> Any:
    added = insert.values(account_id=bindparam("row"), refusals=1, **ZEROS)
    up = {"refusals": Rate.refusals + 1}
    below = Rate.refusals < bindparam("most")
    return added.on_conflict_do_update(index_elements=["account_id"], set_=up, where=below).returning(Rate.refusals)


COUNT = PlainWrite(Rate, counting)


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
