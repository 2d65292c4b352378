"""A fresh Kommo on a real port for every test, and our client of it."""

from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass

import httpx
import pytest

from backend.kommo_api.client import KommoApi
from backend.kommo_api.values import LeadChange, NewNote
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld, create_app
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.records import Lead
from sandbox.serving import serving
from tests.world.swappable import SwappableApp

REDIRECT = "https://pay.example.com/oauth/kommo/callback"


at_once = nullcontext[None]
"""No turn to wait for: the sandbox has no limit here."""


@dataclass
class Kommo:
    """The world, its first account, and the client with its admin's token."""

    world: KommoWorld
    integration: Integration
    http: httpx.AsyncClient
    base_url: str

    @property
    def account(self) -> Account:
        return self.world.account

    @property
    def api(self) -> KommoApi:
        return self.api_of(self.account.admin.id)

    @property
    def leads(self) -> list[Lead]:
        return list(self.account.leads.values())

    @property
    def lead(self) -> Lead:
        return self.leads[0]

    def api_of(self, user_id: int) -> KommoApi:
        token = self.world.issue_pair(self.integration.client_id, user_id).access
        return KommoApi(self.http, self.base_url, token, at_once)

    def play(self, **readings: str) -> None:
        for name, reading in readings.items():
            self.world.switches.set(name, reading)

    def asked(self, method: str) -> int:
        return sum(one.method == method for one in self.world.requests)


@dataclass
class SharedServer:
    """One server and one pool of connections for all tests, each of which has a world of its own there."""

    served: SwappableApp
    base_url: str
    http: httpx.AsyncClient


@pytest.fixture(scope="session")
async def shared_server(anyio_backend: str) -> AsyncIterator[SharedServer]:
    served = SwappableApp()
    async with serving(served) as base_url, httpx.AsyncClient() as http:
        yield SharedServer(served, base_url, http)


@pytest.fixture
async def kommo(shared_server: SharedServer) -> Kommo:
    world = KommoWorld(MovableClock(), seed=1, switches={"account_rate": "none"})
    world.limits.rate = 10_000
    integration = world.add_integration(world.account, REDIRECT)
    shared_server.served.app, world.base_url = create_app(world), shared_server.base_url
    return Kommo(world, integration, shared_server.http, shared_server.base_url)


def change(lead_id: int, fields: dict[int, object] | None = None, place: tuple[int, int] | None = None) -> LeadChange:
    pipeline_id, status_id = place or (None, None)
    return LeadChange(lead_id, fields or {}, pipeline_id, status_id, request_id=f"r{lead_id}")


def note(lead_id: int, text: str = "Paid 120.00 EUR", request_id: str | None = None) -> NewNote:
    return NewNote(lead_id, text, request_id or f"r{lead_id}", "Stripe payments")
