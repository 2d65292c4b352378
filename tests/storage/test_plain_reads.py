"""A plain read says what the engine says, changes nothing, and is there again after a failure."""

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from backend.storage.database_share import DatabaseShare
from backend.storage.db import Database
from backend.storage.models import Integration
from backend.storage.plain_reads import PlainRead

BY_ID = PlainRead(
    select(col(Integration.client_id), col(Integration.label)).where(col(Integration.client_id) == bindparam("id"))
)


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


async def _rename(database: Database, old: str, new: str) -> None:
    async with database.write() as session:
        await (await session.connection()).execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
