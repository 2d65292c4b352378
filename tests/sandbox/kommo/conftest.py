"""A fresh Kommo for every test, and a client that speaks to it as the product does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld, create_app
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.grants import Integration, Pair
from sandbox.kommo.records import Lead

REDIRECT = "https://pay.example.com/oauth/kommo/callback"


@dataclass
class Kommo:
    """The world with one integration, and its admin's token in ``http``."""

    world: KommoWorld
    integration: Integration
    pair: Pair
    http: httpx.AsyncClient

    @property
    def account(self) -> Account:
        return self.world.account

    @property
    def clock(self) -> MovableClock:
        assert isinstance(self.world.clock, MovableClock)
        return self.world.clock

    @property
    def lead(self) -> Lead:
        return next(iter(self.account.leads.values()))

    @property
    def incoming(self) -> Lead:
        return next(lead for lead in self.account.leads.values() if self.account.is_incoming(lead))

    def play(self, **readings: str) -> None:
        for name, reading in readings.items():
            self.world.switches.set(name, reading)

    async def read(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def grant(self, **body: str) -> httpx.Response:
        """A call of the token endpoint with the integration's own keys, unless told otherwise."""
        own = {
            "client_id": self.integration.client_id,
            "client_secret": self.integration.client_secret,
            "redirect_uri": self.integration.redirect_uri,
        }
        return await self.http.post("/oauth2/access_token", json=own | body)

    def as_user(self, user_id: int) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.world.issue_pair(self.integration.client_id, user_id).access}"}


@pytest.fixture
async def kommo(anyio_backend: str) -> AsyncIterator[Kommo]:
    world = KommoWorld(MovableClock(), seed=1, switches={"account_rate": "none"})
    world.limits.rate = 1000
    integration = world.add_integration(world.account, REDIRECT, disable_uri="https://pay.example.com/kommo/uninstall")
    pair = world.issue_pair(integration.client_id, world.account.admin.id)
    transport = httpx.ASGITransport(create_app(world))
    headers = {"Authorization": f"Bearer {pair.access}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://kommo.test", headers=headers) as http:
        yield Kommo(world, integration, pair, http)
