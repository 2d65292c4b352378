"""A worker's presence on SQLite: a locked file beside the database. (PostgreSQL's is in tests/processes.)"""

import asyncio
import os
from pathlib import Path

import pytest

from backend.storage.db import Database
from backend.work_queue.presence import present


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.glob("x.db-worker-*"))


async def test_workers_of_one_process_see_each_other_alive(database: Database) -> None:
    async with (
        present(database, asyncio.Event(), os.urandom) as one,
        present(database, asyncio.Event(), os.urandom) as other,
    ):
        assert one.lock != other.lock
        assert await one.dead([one.lock, other.lock]) == set()


async def test_a_worker_that_ends_leaves_no_file_and_counts_as_gone(database: Database, tmp_path: Path) -> None:
    async with present(database, asyncio.Event(), os.urandom) as one:
        async with present(database, asyncio.Event(), os.urandom) as other:
            assert len(files(tmp_path)) == 2
            gone = other.lock
        assert await one.dead([gone]) == {gone}
    assert files(tmp_path) == []


async def test_what_the_dead_left_is_cleared_away_and_the_dead_stay_dead(database: Database, tmp_path: Path) -> None:
    (tmp_path / "x.db-worker-0000002a").touch()
    async with present(database, asyncio.Event(), os.urandom) as one:
        assert files(tmp_path) == [f"x.db-worker-{one.lock:08x}"]
        assert await one.dead([42]) == {42}


async def test_without_a_file_only_the_lease_tells(tmp_path: Path) -> None:
    async with present(Database("sqlite+aiosqlite:///:memory:"), asyncio.Event(), os.urandom) as one:
        assert one.lock == 0
        assert await one.dead([42]) == set()


async def test_without_its_file_a_worker_is_judged_by_its_lease(database: Database, tmp_path: Path) -> None:
    """Else its worker would be dead for all, itself included, and would lose whatever it works on."""
    async with present(database, asyncio.Event(), os.urandom) as one:
        (tmp_path / f"x.db-worker-{one.lock:08x}").unlink()
        assert one.lock == 0
    assert files(tmp_path) == []
