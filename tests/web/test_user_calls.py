"""One user of the card calls faster than a person: refused without a look into the database, and never for others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import event

from backend.web.app import create_app
from backend.web.http.user_calls import AT_ONCE, UserCalls
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


async def test_what_is_no_token_at_all_asks_no_database(tmp_path: Path) -> None:
    async with card(tmp_path) as (world, http):
        asked: list[str] = []
        engine = world.resources.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        for token in ("junk", "a.b.c", "", "x" * 5000):
            answer = await http.get(f"/widget/deals/{world.first_deal.id}", headers={"X-Auth-Token": token})
            assert answer.status_code == 401
        assert asked == []


async def test_so_many_calls_of_a_user_are_in_work_at_once_and_the_others_wait() -> None:
    """Behind Kommo's rate too: what a user asks for waits in two places there, however many connections come."""
    calls, in_work, most, served = UserCalls(lambda: 1_000_000.0), 0, 0, 0

    async def call() -> None:
        nonlocal in_work, most, served
        async with calls.turn((1, 7)):
            in_work += 1
            most = max(most, in_work)
            await asyncio.sleep(0)
            in_work -= 1
            served += 1

    await asyncio.gather(*(call() for _ in range(BURST)))
    assert (most, served) == (AT_ONCE, BURST)


async def test_a_user_whose_calls_are_all_in_work_keeps_nobody_else_waiting() -> None:
    calls = UserCalls(lambda: 1_000_000.0)
    async with AsyncExitStack() as in_work:
        for _ in range(AT_ONCE):
            await in_work.enter_async_context(calls.turn((1, 7)))
        waiting = asyncio.create_task(_take(calls, (1, 7)))
        async with asyncio.timeout(5):
            await _take(calls, (1, 8))
            await _take(calls, (2, 7))
        assert not waiting.done()
    await waiting


async def _take(calls: UserCalls, user: tuple[int, int]) -> None:
    async with calls.turn(user):
        pass


async def test_one_users_many_connections_hold_two_of_the_accounts_calls_to_kommo(tmp_path: Path) -> None:
    """Each for another deal, so that each is a call to Kommo."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", worker=False) as world:
        rep = world.account.add_salesperson("Rep", "rep@shop.example")
        rep.leads.view = "M"
        token = world.token(rep.id)
        await world.http.get(f"{world.url}/widget/deals/{world.first_deal.id}", headers=token)
        under_way = most = 0

        async def seen(request: httpx.Request) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)

        async def answered(response: httpx.Response) -> None:
            nonlocal under_way
            under_way -= 1

        hooks = world.resources.kommo_http.event_hooks
        world.resources.kommo_http.event_hooks = hooks | {"request": [seen], "response": [answered]}
        urls = [f"{world.url}/widget/deals/{world.first_deal.id + number * 1000}" for number in range(1, 16)]
        answers = await asyncio.gather(*(world.http.get(url, headers=token) for url in urls))
        assert {answer.status_code for answer in answers} <= {404, 429}
        assert 1 <= most <= AT_ONCE
