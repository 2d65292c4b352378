"""A slot: three addresses that stay, and on them one run after another from the same beginning."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from backend.storage.db import Database
from sandbox.serving import free_port, serving
from tests.crash.rig.databases import Databases
from tests.crash.rig.killable import KillableWorld, both_served
from tests.crash.rig.shared_clock import SharedClock
from tests.world.services import two_worlds
from tests.world.settings import ADMIN_TOKEN, FAST, SECRET_KEY, environment
from tests.world.swappable import SwappableApp

SETTLE_SECONDS = 60.0
"""Longer than a restart takes, by the clock that everybody reads."""


@dataclass
class Slot:
    folder: Path
    databases: Databases
    http: httpx.AsyncClient
    clock: SharedClock
    kommo_url: str
    stripe_url: str
    product_url: str
    apps: tuple[SwappableApp, SwappableApp]

    @asynccontextmanager
    async def running(self, world: KillableWorld) -> AsyncIterator[KillableWorld]:
        async with both_served(world, self._swap):
            yield world

    def _swap(self, kommo: ASGIApp, stripe: ASGIApp) -> None:
        self.apps[0].app, self.apps[1].app = kommo, stripe

    def first_world(self, switches: Mapping[str, str], settings: Mapping[str, str]) -> KillableWorld:
        """Two worlds with an integration made at Kommo, and an empty database."""
        kommo, stripe = two_worlds(self.clock)
        for name, reading in switches.items():
            kommo.switches.set(name, reading)
        kommo.limits.rate = int(FAST)
        kommo.base_url, stripe.base_url = self.kommo_url, self.stripe_url
        integration = kommo.add_integration(
            kommo.account, f"{self.product_url}/oauth/kommo/callback", disable_uri=f"{self.product_url}/kommo/uninstall"
        )
        url = self.databases.empty("first")
        known = {
            "port": self.product_url.rpartition(":")[2],
            "database_url": url,
            "secret_keys": SECRET_KEY,
            "admin_token": ADMIN_TOKEN,
            "settle_seconds": str(SETTLE_SECONDS),
        } | environment(kommo, stripe, integration, self.product_url)
        return KillableWorld(
            kommo,
            stripe,
            integration,
            known | dict(settings),
            self.clock,
            self.folder,
            self.product_url,
            self.http,
            Database(url),
        )


@dataclass(frozen=True)
class Beginning:
    """How things stood at one moment; every run ``again`` begins there."""

    world: KillableWorld
    now: float
    name: str

    def again(self, slot: Slot) -> KillableWorld:
        slot.clock.set(self.now)
        kommo, stripe, memory = deepcopy((self.world.kommo, self.world.stripe, self.world.memory))
        kommo.requests.clear()
        url = slot.databases.copy(self.name, "world")
        return KillableWorld(
            kommo,
            stripe,
            kommo.integrations[self.world.integration.client_id],
            self.world.settings | {"database_url": url},
            slot.clock,
            slot.folder,
            slot.product_url,
            slot.http,
            Database(url),
            memory=memory,
        )


def beginning_of(slot: Slot, world: KillableWorld) -> Beginning:
    """``world`` must be over."""
    slot.databases.copy("first", "begun")
    return Beginning(world, slot.clock(), "begun")


@asynccontextmanager
async def open_slot(folder: Path, databases: Databases) -> AsyncIterator[Slot]:
    apps = SwappableApp(), SwappableApp()
    async with (
        serving(apps[0]) as kommo_url,
        serving(apps[1]) as stripe_url,
        httpx.AsyncClient(timeout=30.0, trust_env=False) as http,
    ):
        product_url = f"http://127.0.0.1:{free_port()}"
        yield Slot(folder, databases, http, SharedClock(folder / "board"), kommo_url, stripe_url, product_url, apps)
