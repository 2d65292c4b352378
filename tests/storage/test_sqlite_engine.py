"""A unit of work that is cancelled leaves SQLite's file to others at once."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

from backend.storage.db import Database
from backend.storage.models import StripeConnection

CANCELS = 120
STEP_SECONDS = 0.0001


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Garbage would be collected at some time, and close what the unit left open."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    async with database.write() as session:
        session.add_all(StripeConnection(id=str(number), account_id=7, label="") for number in range(3))
    yield database
    await database.close()


@pytest.fixture
def other_process(database: Database, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "x.db", timeout=2, check_same_thread=False)) as connection:
        yield connection


async def test_a_cancelled_unit_lets_go_of_the_file(
    database: Database, other_process: sqlite3.Connection, no_collection: None
) -> None:
    for number in range(CANCELS):
        unit = asyncio.create_task(_unit(database))
        await asyncio.sleep(number * STEP_SECONDS)
        unit.cancel()
        await asyncio.gather(unit, return_exceptions=True)
        await asyncio.to_thread(_write, other_process)


async def _unit(database: Database) -> None:
    async with database.write() as session:
        for _ in range(8):
            await session.exec(select(StripeConnection.id))


def _write(connection: sqlite3.Connection) -> None:
    """Raises ``sqlite3.OperationalError`` where the file stays locked."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("COMMIT")
