"""Several worker processes on one database, between the same two worlds, and the hand that stops and kills them."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import make_url

from backend.core.config import Settings
from sandbox import kommo as kommo_app
from sandbox import stripe as stripe_app
from sandbox.serving import serving
from tests.crash.rig.shared_clock import SharedClock
from tests.forks import FORKS
from tests.processes.child import live
from tests.processes.proxy import Traffic
from tests.world import World, environment, open_world, settings

FAST = 1000.0
"""Calls a second; the rate is tested elsewhere."""


@dataclass
class Workers:
    """``product`` is the web and the worlds; its own worker has stopped. ``more``: the settings of all."""

    product: World
    clock: SharedClock
    folder: Path
    database_url: str
    traffic: Traffic
    stack: AsyncExitStack
    more: dict[str, object]
    processes: dict[str, BaseProcess] = field(default_factory=dict)

    async def start(self, name: str, *, rate: float = FAST, database_url: str = "") -> None:
        """A worker process; its first look may still be to come when this returns."""
        product = self.product
        worlds = {
            product.kommo.base_url: kommo_app.create_app(product.kommo),
            product.stripe.base_url: stripe_app.create_app(product.stripe),
        }
        proxy = await self.stack.enter_async_context(serving(self.traffic.proxy(name, worlds), http="h11"))
        url = database_url or self.database_url
        known = environment(product.kommo, product.stripe, product.integration, product.url)
        chosen = settings(url, **known | self.more)
        paced = chosen.model_copy(update={"kommo_rate": rate, "kommo_ip_rate": FAST})
        await asyncio.to_thread(self._fork, name, paced, proxy)

    def _fork(self, name: str, chosen: Settings, proxy: str) -> None:
        """The first one waits until the server of forks has imported everything."""
        arguments = (chosen, proxy, self.clock.path, self.folder / f"{name}.log")
        process = FORKS.Process(target=live, args=arguments, daemon=True)
        process.start()
        self.processes[name] = process

    def signal(self, name: str, what: signal.Signals) -> None:
        os.kill(self.processes[name].pid or 0, what)

    async def put_to_sleep(self, name: str) -> None:
        """SIGSTOP, but not inside a unit of work: on SQLite nobody else could write until it wakes."""
        while True:
            self.signal(name, signal.SIGSTOP)
            if not self.database_url.startswith("sqlite") or takes_a_write(self.database_url):
                return
            self.signal(name, signal.SIGCONT)
            await asyncio.sleep(0.02)

    async def ended(self, name: str, seconds: float = 20.0) -> int:
        """Its exit code."""
        process = self.processes[name]
        await asyncio.to_thread(process.join, seconds)
        assert process.exitcode is not None, f"{name} did not end within {seconds} s"
        return process.exitcode

    def kill_all(self) -> None:
        for name, process in self.processes.items():
            process.kill()
            process.join()
            (self.folder / f"{name}.log").unlink(missing_ok=True)
        self.processes.clear()
        self.traffic.reset()

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""


def takes_a_write(database_url: str) -> bool:
    connection = sqlite3.connect(str(make_url(database_url).database), timeout=0.1, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


@asynccontextmanager
async def open_workers(database_url: str, folder: Path, **more: object) -> AsyncIterator[Workers]:
    board = SharedClock(folder / "board")
    async with open_world(database_url, clock=board, more=more) as product, AsyncExitStack() as stack:
        product.worker.stop()
        wallet = product.kommo.wallet

        def account_of(token: str) -> int | None:
            pair = wallet.by_access.get(token)
            return pair.account_id if pair else None

        workers = Workers(product, board, folder, database_url, Traffic(account_of), stack, more)
        try:
            yield workers
        finally:
            workers.kill_all()
