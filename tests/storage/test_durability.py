"""A commit waits for the disk, unless its rows are worth nothing after a restart."""

from contextlib import AbstractAsyncContextManager

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.db import Database

FULL = {"sqlite": 2, "postgres": "on"}
LOSABLE = {"sqlite": 1, "postgres": "off"}


async def _durability(database: Database, unit: AbstractAsyncContextManager[AsyncSession]) -> object:
    asked = "PRAGMA synchronous" if database.is_sqlite else "SHOW synchronous_commit"
    async with unit as session:
        return (await (await session.connection()).execute(text(asked))).scalar_one()


async def test_only_a_losable_unit_does_not_wait_for_the_disk(database_url: str) -> None:
    database = Database(database_url)
    kind = "sqlite" if database.is_sqlite else "postgres"
    assert await _durability(database, database.write()) == FULL[kind]
    assert await _durability(database, database.write_losable()) == LOSABLE[kind]
    assert await _durability(database, database.write()) == FULL[kind]
    await database.close()
