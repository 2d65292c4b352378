"""Commands that take long: they say how far they are, work in portions, and go on where a person ended them."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, update
from sqlmodel import col, select

from backend.admin.rotate_keys import reseal
from backend.inbox.arrivals import Arrival
from backend.inbox.replay import PORTION
from backend.inbox.store import store
from backend.storage.db import Database
from backend.storage.migrations import upgrade
from backend.storage.models import InboxEvent, StripeConnection
from tests.command_line import surroundings, typed
from tests.world import World, open_world

MANY = 16 * PORTION


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[World]:
    """An inbox with many events that are done."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", worker=False) as world:
        (connection,) = await world.rows(StripeConnection)
        async with world.resources.database.write() as session:
            numbers = range(MANY)
            arrivals = [
                Arrival(connection.id, world.account.id, f"evt_{number:05}", "x", "", b"{}", "new", 1.0)
                for number in numbers
            ]
            await store(session, world.resources.vault, arrivals)
            await session.exec(update(InboxEvent).values(state="done"))
        yield world


async def again(world: World) -> int:
    """How many events are to be worked in again."""
    async with world.resources.database.read() as session:
        return (await session.exec(select(func.count()).where(col(InboxEvent.state) == "new"))).one()


async def test_a_replay_that_is_interrupted_says_how_to_go_on_and_does(full: World, tmp_path: Path) -> None:
    begun = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend", "events", "replay", "--all"),
        cwd=tmp_path,
        env=surroundings(full, tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        while not await again(full):  # noqa: ASYNC110 (a commit of another process wakes nobody)
            await asyncio.sleep(0.01)
    begun.send_signal(signal.SIGINT)
    said = (await begun.communicate())[0].decode()
    done = await again(full)
    assert (begun.returncode, 0 < done < MANY, done % PORTION) == (130, True, 0), said
    way = re.findall(r"kommo-stripe (events replay --all --after \S+)", said)
    assert len(way) == 1, said
    code, said = await typed(full, tmp_path, *way[0].split())
    assert (code, await again(full), f"{MANY - done} events will be worked in again" in said) == (0, MANY, True), said


async def test_a_rotation_of_keys_and_a_migration_tell_how_far_they_are(full: World, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    await reseal(full.resources, lambda done, total: seen.append((done, total)))
    assert (seen == sorted(seen), seen[-1][0], seen[-1][0]) == (True, seen[-1][1], seen[0][1])
    seen.clear()
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/fresh.db")
    await upgrade(database, lambda done, total: seen.append((done, total)))
    await database.close()
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert {total for _, total in seen} == {len(seen)}
