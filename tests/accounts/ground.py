"""A Kommo with many accounts, a Stripe, and processes of ours on one database. No worker: nothing happens by itself."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from backend.accounts.install.add_integration import add_integration
from backend.accounts.tokens.call import with_kommo
from backend.core.clock import Clock
from backend.core.config import Settings
from backend.kommo_api.values import AccountInfo
from backend.resources import Resources, open_resources
from backend.storage.migrations import upgrade
from backend.storage.models import Account
from backend.web.app import create_app
from sandbox import kommo as kommo_app
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.traffic.log import CallRecord
from sandbox.serving import serving
from sandbox.stripe import StripeWorld
from sandbox.stripe import create_app as stripe_app

TOKEN = "/oauth2/access_token"
PUBLIC_URL = "https://pay.example.com"
ADMIN_TOKEN = "admin-token-of-the-tests"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
FAST = 1000.0
"""Calls a second: the rate is tested elsewhere."""


class AsKommo(httpx.AsyncHTTPTransport):
    """Every ``*.kommo.com`` is the one server at ``address``, which sees the host that was meant."""

    def __init__(self, address: str) -> None:
        super().__init__(limits=httpx.Limits(keepalive_expiry=1.0))  # well before the server ends them
        self._address = httpx.URL(address)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host.endswith(".kommo.com"), request.url
        request.url = request.url.copy_with(scheme="http", host=self._address.host, port=self._address.port)
        return await super().handle_async_request(request)


@asynccontextmanager
async def process(settings: Settings, clock: Clock, kommo: AsKommo) -> AsyncIterator[Resources]:
    async with open_resources(settings, clock) as opened, httpx.AsyncClient(transport=kommo, timeout=30.0) as http:
        yield replace(opened, kommo_http=http)


def settings(database_url: str, **more: str) -> Settings:
    known: dict[str, Any] = {
        "public_url": PUBLIC_URL,
        "database_url": database_url,
        "secret_keys": "a sealing key of the tests",
        "admin_token": ADMIN_TOKEN,
    }
    return Settings(_env_file=None, **(known | more)).model_copy(update={"kommo_rate": FAST, "kommo_ip_rate": FAST})


@dataclass
class Ground:
    """``web`` is our own door; ``process`` is another process of ours on the same database."""

    kommo: KommoWorld
    stripe: StripeWorld
    address: str
    settings: Settings
    clock: Clock
    resources: Resources
    web: httpx.AsyncClient

    def process(self) -> AbstractAsyncContextManager[Resources]:
        return process(self.settings, self.clock, AsKommo(self.address))

    async def tenant(self) -> "Tenant":
        """A Kommo account of its own, connected by a code."""
        account = self.kommo.add_account(f"shop-{len(self.kommo.accounts)}")
        made = self.kommo.add_integration(account, self.settings.redirect_uri)
        code = self.kommo.issue_code(made.client_id)
        given = {"client_secret": made.client_secret, "code": code, "subdomain": account.subdomain}
        await add_integration(self.resources, made.client_id, given, who="test")
        return Tenant(self, account, made, seen=len(self.kommo.requests))


@dataclass
class Tenant:
    """One of the accounts. ``seen``: how many of Kommo's requests came before those that ``asked`` tells."""

    ground: Ground
    account: KommoAccount
    integration: Integration
    seen: int

    async def row(self) -> Account:
        async with self.ground.resources.database.read() as session:
            return await session.get_one(Account, self.account.id)

    async def call(self, resources: Resources | None = None) -> AccountInfo:
        """Anything that is asked of Kommo for this account."""
        return await with_kommo(resources or self.ground.resources, self.account.id, lambda api: api.account())

    @property
    def asked(self) -> list[str]:
        return [one.path for one in self.requests]

    @property
    def requests(self) -> list[CallRecord]:
        return self.ground.kommo.requests[self.seen :]

    @property
    def refreshes(self) -> int:
        return self.asked.count(TOKEN)

    def end_access(self) -> None:
        """Kommo takes the access tokens back, and leaves the refresh tokens."""
        for pair in self.ground.kommo.wallet.by_access.values():
            if pair.client_id == self.integration.client_id:
                pair.access_revoked = True


@asynccontextmanager
async def ground(database_url: str, clock: Clock, **more: str) -> AsyncIterator[Ground]:
    """``more``: settings that differ."""
    kommo = KommoWorld(clock, kommo_hosts=True, switches={"account_rate": "none"})
    kommo.limits.rate = int(FAST)
    stripe = StripeWorld(clock, switches={"rate_limits": "none"})
    async with serving(kommo_app.create_app(kommo)) as address, serving(stripe_app(stripe)) as stripe.base_url:
        chosen = settings(database_url, stripe_api_base=stripe.base_url, **more)
        async with process(chosen, clock, AsKommo(address)) as resources:
            await upgrade(resources.database)
            inside = httpx.ASGITransport(create_app(resources, admin_token=ADMIN_TOKEN))
            async with httpx.AsyncClient(transport=inside, base_url=PUBLIC_URL) as web:
                yield Ground(kommo, stripe, address, chosen, clock, resources, web)
