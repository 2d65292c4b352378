"""A world whose product is a process that can be killed; it is started again whenever it dies."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from backend.core.vault import Vault
from backend.storage.db import Database
from sandbox import kommo as kommo_app
from sandbox import stripe as stripe_app
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.grants import Integration
from sandbox.stripe import StripeWorld
from sandbox.stripe.api.door import Door
from sandbox.stripe.objects.store import ObjectStore
from tests.crash.rig.child import AtCommit, live
from tests.crash.rig.shared_clock import SharedClock
from tests.crash.rig.wire import Wire
from tests.forks import FORKS
from tests.world.view import WorldView

RESTART_SECONDS = 31.0
"""A restart by hand: longer than a lease. Every other one is at once, as a supervisor does it."""


@dataclass
class KillableWorld(WorldView):
    """``settings`` are the product's, ``is_slow`` says how it is started again. ``deaths`` are counted."""

    kommo: KommoWorld
    stripe: StripeWorld
    integration: Integration
    settings: dict[str, str]
    clock: SharedClock
    folder: Path
    url: str
    http: httpx.AsyncClient
    database: Database
    wire: Wire = field(default_factory=Wire)
    is_slow: bool = False
    deaths: int = 0
    is_struck: bool = False
    """It died, or met with what was laid in its way."""
    troubles: list[str] = field(default_factory=list)
    born: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a product lives that was started after a death."""
    memory: dict[str, Any] = field(default_factory=dict)
    """What the people of this world remember: deals, links, ids."""
    is_up: bool = False
    """It listens. Before that, no time is skipped."""
    _process: BaseProcess | None = None

    @property
    def shelf(self) -> ObjectStore:
        return self.stripe.default_account.shelves[True]

    @property
    def vault(self) -> Vault:
        return Vault([self.settings["secret_keys"]])

    def start(self, death: AtCommit | None = None) -> None:
        arguments = (self.settings, self.clock.path, self.folder / "product.log", death)
        self._process = FORKS.Process(target=live, args=arguments, daemon=True)
        self._process.start()
        self.is_up = False

    async def kill(self) -> None:
        """SIGKILL; it is dead when this returns."""
        assert self._process is not None
        os.kill(self._process.pid or 0, signal.SIGKILL)
        await self._ended(self._process)

    async def stop(self) -> None:
        """SIGTERM, as a supervisor does it."""
        assert self._process is not None
        process, self._process = self._process, None
        process.terminate()
        await asyncio.wait_for(self._ended(process), 20)
        if process.exitcode:
            self.troubles.append(f"the product ended with {process.exitcode} after SIGTERM")

    async def keep_alive(self) -> None:
        """Whoever dies is started again; only a SIGKILL may end it."""
        while True:
            process = self._process
            if process is not None and not process.is_alive():
                if process.exitcode != -signal.SIGKILL:
                    self.troubles.append(f"the product ended by itself with {process.exitcode}")
                    return
                self.deaths += 1
                self.is_struck = True
                if self.is_slow:
                    self.clock.advance(RESTART_SECONDS)
                self.start()
                self.born.set()
            self.is_up = self.is_up or await self._listens()
            await asyncio.sleep(0.005)

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", int(self.settings["port"]))
        except OSError:
            return False
        writer.close()
        return True

    async def _ended(self, process: BaseProcess) -> None:
        while process.is_alive():  # noqa: ASYNC110 (a process sets no event)
            await asyncio.sleep(0.002)


@asynccontextmanager
async def both_served(world: KillableWorld, swap: Callable[[ASGIApp, ASGIApp], None]) -> AsyncIterator[None]:
    """Both worlds live and answer until the block ends; the product is killed then.

    Of Stripe only the API is at the address: people act on the world itself here.
    """
    async with AsyncExitStack() as stack:
        kommo, stripe = kommo_app.create_app(world.kommo), stripe_app.create_app(world.stripe)
        swap(world.wire.before("kommo", kommo), world.wire.before("stripe", Door(world.stripe)))
        await stack.enter_async_context(kommo.router.lifespan_context(kommo))
        await stack.enter_async_context(stripe.router.lifespan_context(stripe))
        keeper = asyncio.create_task(world.keep_alive())
        try:
            yield
        finally:
            keeper.cancel()
            if world.is_alive:
                await world.kill()
            await world.database.close()
