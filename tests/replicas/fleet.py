"""Two worker processes and two webs on one PostgreSQL, and the hand that kills workers and restarts the database."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from typing import Literal

import httpx
from sqlalchemy.exc import DBAPIError

from backend.storage.models import AccountWork
from backend.worker.waiting import Waiting, what_waits
from sandbox.serving import free_port
from tests.forks import FORKS
from tests.postgres import restart, written_log
from tests.processes.child import live_web
from tests.processes.test_acknowledgement import reached
from tests.processes.workers import Workers, open_workers
from tests.replicas.till import Till
from tests.world import World, environment, settings
from tests.world.processes import LIMITS

WORKERS = ("a", "b")
STOPS: Sequence[Literal["fast", "immediate"]] = ("fast", "immediate")
SETTLE_SECONDS = 3.0
"""How long a call may be under way whose caller was killed."""
SOON = 1 / 600
"""Stripe tries a delivery again after half a second instead of five minutes."""
REPS = 60
"""Enough for none of them to call more often than a person may."""
PATIENCE_SECONDS = 900.0


@dataclass
class Replicas:
    """``workers`` are two processes; one web is a process, too, and the other in this one."""

    workers: Workers
    till: Till
    server_url: str
    random: Random
    mishaps: Counter[str] = field(default_factory=Counter)

    async def start_workers(self) -> None:
        for name in WORKERS:
            await self.workers.start(name)

    async def kill(self) -> None:
        """A worker dies in whatever it does, and is started again."""
        name = self.random.choice(WORKERS)
        process = self.workers.processes[name]
        process.kill()
        await asyncio.to_thread(process.join)
        self.mishaps[name] += 1
        await self.workers.start(name)

    async def restart(self) -> None:
        mode = self.random.choice(STOPS)
        self.mishaps[mode] += 1
        await asyncio.to_thread(restart, self.server_url, mode)

    async def rest(self) -> None:
        """Everything was delivered and nothing waits."""
        product = self.workers.product
        async with asyncio.timeout(PATIENCE_SECONDS):
            while product.stripe.courier.undelivered or await self._waits():  # noqa: ASYNC110 (no commit wakes us)
                await asyncio.sleep(0.1)

    async def _waits(self) -> bool:
        product = self.workers.product
        try:
            if await what_waits(product.resources) != Waiting(0, 0, 0):
                return True
            return any(one.done < one.wanted or one.owner for one in await product.rows(AccountWork))
        except DBAPIError:
            return True

    @property
    def deadlocks(self) -> list[str]:
        """What the server and the processes say of units of work that waited for each other."""
        logs = [written_log(self.server_url), *(path.read_text() for path in self.workers.folder.glob("*.log"))]
        return [line for log in logs for line in log.splitlines() if "deadlock" in line or "work repeated" in line]


@asynccontextmanager
async def open_replicas(database_url: str, server_url: str, folder: Path) -> AsyncIterator[Replicas]:
    seed = int(os.environ.get("REPLICAS_SEED") or SystemRandom().randrange(10**6))
    print(f"\nREPLICAS_SEED={seed}")
    async with open_workers(database_url, folder, settle_seconds=SETTLE_SECONDS) as workers:
        product, port = workers.product, free_port()
        product.stripe.courier.pace = SOON
        known = environment(product.kommo, product.stripe, product.integration, product.url)
        chosen = settings(database_url, **known | workers.more, port=port)
        web = FORKS.Process(target=live_web, args=(chosen, folder / "web.log"), daemon=True)
        web.start()
        try:
            (await asyncio.to_thread(reached, port)).close()
            async with httpx.AsyncClient(trust_env=False, timeout=300.0, limits=LIMITS) as http:
                webs = [product.url, f"http://127.0.0.1:{port}"]
                till = Till(product, webs, http, Random(seed), [_rep(product, number) for number in range(REPS)])
                yield Replicas(workers, till, server_url, Random(seed))
        finally:
            web.kill()
            web.join()


def _rep(product: World, number: int) -> int:
    return product.account.add_user(f"Rep {number}", f"rep{number}@shop.example", is_admin=True).id
