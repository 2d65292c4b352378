"""Who hears very many refusals hears the next ones slowly; all others, and all other answers, come at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import httpx

from backend.web.app import create_app
from backend.web.http.slow_refusals import MOST_A_MINUTE, SECONDS, SlowRefusals
from sandbox.clock import MovableClock
from tests.world import ADMIN_TOKEN, open_world

SLOW, NEVER, PATIENCE = 0.3, 3600.0, 30.0
LOUD, QUIET = "203.0.113.7", "203.0.113.8"
KNOCKS = ("/p/aaaaaaaaaaaaaaaa", "/metrics", "/nowhere", "/widget/deals/1", "/kommo/uninstall", "/d/aaaaaaaaaaaaaaaa")


class Doors:
    """Our web, as an address sees it that has knocked at all doors."""

    def __init__(self, app: SlowRefusals, url: str) -> None:
        self.app, self.url = app, url

    async def get(self, path: str, address: str = LOUD) -> int:
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as visitor:
            return (await visitor.get(path)).status_code


@asynccontextmanager
async def knocked(folder: Path, seconds: float, clock: MovableClock) -> AsyncIterator[Doors]:
    async with open_world(f"sqlite+aiosqlite:///{folder}/x.db", worker=False, connected=False) as world:
        app = create_app(world.resources, admin_token=ADMIN_TOKEN)
        doors = Doors(SlowRefusals(app, clock, most=len(KNOCKS), seconds=seconds), world.url)
        async with asyncio.timeout(PATIENCE):
            assert {await doors.get(path) for path in KNOCKS} <= {400, 401, 403, 404, 422}
            yield doors


async def test_the_refusals_of_all_doors_together_make_the_next_one_slow(tmp_path: Path) -> None:
    async with knocked(tmp_path, SLOW, MovableClock(lambda: 1_000_000.0)) as doors:
        for path in KNOCKS:
            before = perf_counter()
            await doors.get(path)
            assert perf_counter() - before >= SLOW


async def test_others_and_what_is_no_refusal_and_the_next_minute_are_not_held_up(tmp_path: Path) -> None:
    clock = MovableClock(lambda: 1_000_000.0)
    async with knocked(tmp_path, NEVER, clock) as doors:
        assert await doors.get("/healthz") == 200
        assert await doors.get("/nowhere", QUIET) == 404
        clock.advance(60)
        assert await doors.get("/nowhere") == 404


async def test_our_web_slows_refusals(tmp_path: Path) -> None:
    async with open_world(
        f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(lambda: 1_000_000.0), worker=False, connected=False
    ) as world:
        app = create_app(world.resources, admin_token=ADMIN_TOKEN)
        transport = httpx.ASGITransport(app, client=(LOUD, 1))
        async with httpx.AsyncClient(transport=transport, base_url=world.url) as visitor:
            for _ in range(MOST_A_MINUTE):
                await visitor.get("/nowhere")
            before = perf_counter()
            assert (await visitor.get("/nowhere")).status_code == 404
        assert perf_counter() - before >= SECONDS
