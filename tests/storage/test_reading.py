"""Many rows are read in portions, few at once, and all of them in either case."""

import pytest
from sqlmodel import select

from backend.core.off_loop import MANY
from backend.storage.db import Database
from backend.storage.models import Counted
from backend.storage.reading import all_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("count", [0, MANY, MANY + 1, 3 * MANY])
async def test_all_rows_are_read_however_many(database_url: str, count: int) -> None:
    database = Database(database_url)
    async with database.write() as session:
        session.add_all(Counted(name=f"n{number}", labels="") for number in range(count))
    async with database.read() as session:
        found = await all_of(session, select(Counted))
    await database.close()
    assert {one.name for one in found} == {f"n{number}" for number in range(count)}
    assert len(found) == count
