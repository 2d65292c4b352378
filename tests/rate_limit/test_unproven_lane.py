"""Callers who have proven nothing wait in a lane of their own."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import event

from backend.core.errors import LaneFull
from backend.rate_limit.unproven_lane import EVERY_SECONDS, MOST_WAITING, UnprovenLane
from sandbox.clock import MovableClock
from tests.world import open_world

FLOOD = 12


async def test_one_goes_in_two_seconds_and_four_wait() -> None:
    clock = MovableClock()
    lane = UnprovenLane(clock)
    await lane.enter()
    entered = [asyncio.create_task(lane.enter()) for _ in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(LaneFull):
        await lane.enter()
    started = clock()
    await entered[0]
    assert clock() - started > EVERY_SECONDS / 2
    for one in entered[1:]:
        one.cancel()
    await asyncio.gather(*entered, return_exceptions=True)
    clock.advance(EVERY_SECONDS)
    await lane.enter()  # those who gave up left their place


async def test_a_flood_of_anonymous_callbacks_reaches_kommo_slowly_and_is_told_when_to_come_back(
    tmp_path: Path,
) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", worker=False) as world:
        host = world.kommo.base_url.removeprefix("http://")
        query = {"client_id": world.integration.client_id, "referer": host, "from_widget": "1"}
        path = "/oauth/kommo/callback"
        asked = len(world.kommo.requests)
        calls = [world.http.get(path, params=query | {"code": f"junk{number}"}) for number in range(FLOOD)]
        answers = await asyncio.gather(*calls)
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) >= FLOOD - 6
        assert {answer.headers["retry-after"] for answer in refused} == {"10"}
        assert len(world.kommo.requests) - asked <= 6


async def test_a_callback_that_is_refused_reads_no_database(database_url: str) -> None:
    async with open_world(database_url, worker=False) as world:
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(world.resources.pace.unproven.enter()) for _ in range(MOST_WAITING + 1)]
            await asyncio.sleep(0)
            asked: list[str] = []
            engine = world.resources.database.engine.sync_engine
            event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
            query = {"client_id": world.integration.client_id, "referer": "acme.kommo.com", "from_widget": "1"}
            answer = await world.http.get("/oauth/kommo/callback", params=query | {"code": "junk"})
            for one in waiting:
                one.cancel()
        assert (answer.status_code, asked) == (503, [])
