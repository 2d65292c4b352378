"""A process that died while it refreshed a token holds up nobody: its death is known, and its turn is free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
from sqlalchemy import update

from backend.core.clock import system_clock
from backend.storage.models import Account
from backend.work_queue.presence import present
from sandbox.serving import free_port
from tests.accounts.connecting import ask_kommo
from tests.forks import FORKS
from tests.processes.child import live_web
from tests.world import World, open_world
from tests.world.rep import Rep

LONG = 120.0
"""Longer than the test, and not so long that no process could have set it."""

STUCK_SECONDS = 20.0
"""Kommo's answer to the process that is killed meanwhile; its server ends no sooner."""


async def refreshing(world: World, owner: int) -> None:
    """As a process leaves it that was killed before Kommo answered; the access token is over."""
    taken = {"refresh_until": system_clock() + LONG, "refresh_owner": owner}
    async with world.resources.database.write() as session:
        await session.exec(update(Account).values(token_issued_at=1.0, token_expires_at=2.0, **taken))


async def test_the_turn_of_a_dead_refresher_is_free_at_once(database_url: str) -> None:
    async with open_world(database_url) as world:
        resources = world.resources
        async with present(resources.database, asyncio.Event(), resources.randomness) as dying:
            await refreshing(world, dying.lock)
            waiting = asyncio.create_task(ask_kommo(resources, world.account.id))
            await asyncio.sleep(1.5)
            assert not waiting.done()
        info = await asyncio.wait_for(waiting, 30)
        assert info.id == world.account.id
        (account,) = await world.rows(Account)
        assert (account.token_version, account.refresh_until) == (2, 0.0)


async def test_a_web_alone_that_is_killed_while_it_refreshes_holds_up_nobody(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, worker=False) as world, killed_at_the_end() as processes:
        first, second = [await web_alone(world, tmp_path / name, processes) for name in ("first", "second")]
        await refreshing(world, 0)
        async with world.resources.database.write() as session:
            await session.exec(update(Account).values(refresh_until=0.0))
        world.kommo.faults.add("delay", "/oauth2/access_token", seconds=STUCK_SECONDS)
        stuck = asyncio.create_task(first.ask())
        async with asyncio.timeout(30):
            while not any(one.path == "/oauth2/access_token" for one in world.kommo.requests):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        processes[0].kill()
        await asyncio.gather(stuck, return_exceptions=True)
        answer = await asyncio.wait_for(second.ask(), 30)
        assert answer.status_code == 201, answer.text


@asynccontextmanager
async def killed_at_the_end() -> AsyncIterator[list[BaseProcess]]:
    started: list[BaseProcess] = []
    try:
        yield started
    finally:
        for one in started:
            one.kill()
            one.join()


async def web_alone(world: World, log: Path, started: list[BaseProcess]) -> Rep:
    """The representative at a web process of its own, which has no worker."""
    port = free_port()
    chosen = world.settings.model_copy(update={"port": port})
    process = FORKS.Process(target=live_web, args=(chosen, log), daemon=True)
    await asyncio.to_thread(process.start)
    started.append(process)
    url = f"http://127.0.0.1:{port}"
    async with asyncio.timeout(60):
        while True:
            with suppress(httpx.TransportError):
                if (await world.http.get(f"{url}/healthz")).status_code == 200:
                    return replace(world.rep, url=url)
            await asyncio.sleep(0.1)


async def test_a_refresh_says_which_process_makes_it(database_url: str) -> None:
    async with open_world(database_url) as world:
        await world.until(lambda: world.resources.alive.lock() != 0)
        await refreshing(world, 0)
        world.kommo.faults.add("delay", "/oauth2/access_token", seconds=3.0)
        async with world.resources.database.write() as session:
            await session.exec(update(Account).values(refresh_until=0.0))
        asking = asyncio.create_task(ask_kommo(world.resources, world.account.id))
        for _ in range(200):
            (account,) = await world.rows(Account)
            if account.refresh_owner:
                break
            await asyncio.sleep(0.01)
        assert account.refresh_owner == world.resources.alive.lock()
        await asking
