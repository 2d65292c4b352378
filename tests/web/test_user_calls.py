"""One user of the card calls faster than a person: refused without a look into the database, and never for others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import event

from backend.web.app import create_app
from backend.web.http.user_calls import UserCalls
from tests.world import ADMIN_TOKEN, World, open_world

BURST = 20


@asynccontextmanager
async def card(folder: Path) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """The web for somebody who calls at one and the same moment."""
    async with open_world(f"sqlite+aiosqlite:///{folder}/x.db", worker=False) as world:
        app = create_app(world.resources, admin_token=ADMIN_TOKEN)
        app.state.users = UserCalls(lambda: 1_000_000.0)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=world.url) as http:
            yield world, http


async def calls(world: World, http: httpx.AsyncClient, user_id: int, count: int) -> list[int]:
    path, token = f"/widget/deals/{world.first_deal.id}", world.token(user_id)
    return [(await http.get(path, headers=token)).status_code for _ in range(count)]


async def test_a_users_calls_are_counted_and_another_users_are_not(tmp_path: Path) -> None:
    async with card(tmp_path) as (world, http):
        rep = world.account.add_salesperson("Rep", "rep@shop.example")
        assert await calls(world, http, rep.id, BURST + 2) == [403] * BURST + [429] * 2
        assert await calls(world, http, world.account.admin.id, 1) == [200]


async def test_a_refused_call_asks_no_database(tmp_path: Path) -> None:
    async with card(tmp_path) as (world, http):
        assert await calls(world, http, world.account.admin.id, BURST) == [200] * BURST
        asked: list[str] = []
        engine = world.resources.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert await calls(world, http, world.account.admin.id, 2) == [429] * 2
        assert asked == []
