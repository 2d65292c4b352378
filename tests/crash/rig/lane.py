"""A lane: three addresses that stay, and on them one play after another from the same beginning."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.storage.db import Database
from sandbox.kommo import KommoWorld
from sandbox.serving import free_port, serving
from sandbox.stripe import StripeWorld
from tests.crash.rig.board import Board
from tests.crash.rig.databases import Databases
from tests.crash.rig.play import Play, on_stage

SETTLE_SECONDS = 60.0
"""Longer than a restart takes, by the clock that everybody reads."""


@dataclass
class Stand:
    """An address whose world is exchanged from play to play."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.app is None or scope["type"] == "lifespan":
            raise NotImplementedError("nobody stands here")
        await self.app(scope, receive, send)


@dataclass
class Lane:
    folder: Path
    databases: Databases
    http: httpx.AsyncClient
    board: Board
    kommo_url: str
    stripe_url: str
    product_url: str
    stands: tuple[Stand, Stand]

    @asynccontextmanager
    async def playing(self, play: Play) -> AsyncIterator[Play]:
        async with on_stage(play, self._swap):
            yield play

    def _swap(self, kommo: ASGIApp, stripe: ASGIApp) -> None:
        self.stands[0].app, self.stands[1].app = kommo, stripe

    def first_play(self, switches: Mapping[str, str], settings: Mapping[str, str]) -> Play:
        """Two worlds with an integration made at Kommo, and an empty database."""
        kommo = KommoWorld(self.board, seed=5, switches={"account_rate": "none"} | dict(switches))
        stripe = StripeWorld(self.board, seed=5, switches={"rate_limits": "none"})
        kommo.limits.rate = 1000
        kommo.base_url, stripe.base_url = self.kommo_url, self.stripe_url
        integration = kommo.add_integration(
            kommo.account, f"{self.product_url}/oauth/kommo/callback", disable_uri=f"{self.product_url}/kommo/uninstall"
        )
        pipeline = kommo.account.main_pipeline
        paid = next(status.id for status in pipeline.statuses if status.name == "Paid")
        url = self.databases.empty("first")
        known = {
            "public_url": self.product_url,
            "port": self.product_url.rpartition(":")[2],
            "database_url": url,
            "secret_keys": "a sealing key of the tests",
            "admin_token": "admin-token-of-the-tests",
            "kommo_client_id": integration.client_id,
            "kommo_client_secret": integration.client_secret,
            "kommo_base_url": self.kommo_url,
            "kommo_oauth_url": f"{self.kommo_url}/oauth",
            "stripe_api_base": self.stripe_url,
            "stripe_api_key": next(text for text in stripe.default_account.keys if "_live_" in text),
            "paid_stages": f"{pipeline.id}:{paid}",
            "settle_seconds": str(SETTLE_SECONDS),
        }
        return Play(
            kommo, stripe, integration, known | dict(settings), self.board, self.folder, self.http, Database(url)
        )


@dataclass(frozen=True)
class Beginning:
    """How things stood at one moment; every play ``again`` begins there."""

    play: Play
    now: float
    name: str

    def again(self, lane: Lane) -> Play:
        lane.board.set(self.now)
        kommo, stripe, memory = deepcopy((self.play.kommo, self.play.stripe, self.play.memory))
        kommo.requests.clear()
        url = lane.databases.copy(self.name, "play")
        return Play(
            kommo,
            stripe,
            kommo.integrations[self.play.integration.client_id],
            self.play.settings | {"database_url": url},
            lane.board,
            lane.folder,
            lane.http,
            Database(url),
            memory=memory,
        )


def beginning_of(lane: Lane, play: Play) -> Beginning:
    """``play`` must be over."""
    lane.databases.copy("first", "begun")
    return Beginning(play, lane.board(), "begun")


@asynccontextmanager
async def open_lane(folder: Path, databases: Databases) -> AsyncIterator[Lane]:
    stands = Stand(), Stand()
    async with (
        serving(stands[0]) as kommo_url,
        serving(stands[1]) as stripe_url,
        httpx.AsyncClient(timeout=30.0, trust_env=False) as http,
    ):
        product_url = f"http://127.0.0.1:{free_port()}"
        yield Lane(folder, databases, http, Board(folder / "board"), kommo_url, stripe_url, product_url, stands)
