"""A whole shop for one test: a Kommo, a Stripe and our product between them, each on a port of its own, one clock."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from backend.core.config import Settings
from backend.resources import Resources, open_resources
from backend.storage.migrations import upgrade
from backend.storage.models import Account, Integration, StripeConnection
from backend.web.app import create_app
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.kommo import create_app as kommo_app
from sandbox.kommo.records import Lead
from sandbox.serving import free_port, serving
from sandbox.stripe import StripeWorld
from sandbox.stripe import create_app as stripe_app
from sandbox.stripe.traffic.faults import Fault

CONNECTION = "shopconnection"
SESSIONS = "/v1/checkout/sessions"
LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""Well before the server ends an idle connection, at five seconds: a browser may take as long for a few pages."""


@dataclass
class Shop:
    """``http`` speaks to our product as a browser; the worker does not run, so what is known was asked for."""

    clock: MovableClock
    kommo: KommoWorld
    stripe: StripeWorld
    resources: Resources
    client_id: str
    settings: Settings
    http: httpx.AsyncClient

    @asynccontextmanager
    async def replica(self) -> AsyncIterator[httpx.AsyncClient]:
        """A second web process on the same database."""
        async with open_resources(self.settings, self.clock) as resources, _served(resources, self.settings) as http:
            yield http

    @property
    def lead(self) -> Lead:
        return next(iter(self.kommo.account.leads.values()))

    def token(self, user_id: int | None = None) -> dict[str, str]:
        return {"X-Auth-Token": self.kommo.one_time_token(self.client_id, user_id or self.kommo.account.admin.id)}

    def wish(self, **more: Any) -> dict[str, Any]:
        """The body of a request: 120.00 EUR for the first deal, with a uuid of its own."""
        return {
            "request_id": str(uuid.uuid4()),
            "lead_id": self.lead.id,
            "amount": "120.00",
            "currency": "EUR",
            "description": "Website, first part",
            "mode": "payment",
            "kind": "full",
        } | more

    async def post(self, path: str, body: Any = None, *, user_id: int | None = None) -> httpx.Response:
        return await self.http.post(path, json=body, headers=self.token(user_id))

    async def ask(self, **more: Any) -> httpx.Response:
        return await self.post("/widget/requests", self.wish(**more))

    async def made(self, **more: Any) -> dict[str, Any]:
        """A request that was created."""
        answer = await self.ask(**more)
        assert answer.status_code == 201, answer.text
        request: dict[str, Any] = answer.json()
        return request

    async def deal(self, lead_id: int | None = None) -> dict[str, Any]:
        answer = await self.http.get(f"/widget/deals/{lead_id or self.lead.id}", headers=self.token())
        assert answer.status_code == 200, answer.text
        deal: dict[str, Any] = answer.json()
        return deal

    async def check(self) -> None:
        """*Check now*: what Stripe knows is in the ledger afterwards."""
        answer = await self.post(f"/widget/deals/{self.lead.id}/check")
        assert answer.status_code == 202, answer.text

    async def paid(self, **more: Any) -> dict[str, Any]:
        """A request that was paid, and of which we know it."""
        request = await self.made(**more)
        self.stripe.pay_session(self.session["id"])
        await self.check()
        return request

    async def may_refund(self) -> None:
        await self.set_options(refunds=[self.kommo.account.admin.id])

    async def refund(self, payment: str, **more: Any) -> httpx.Response:
        body = {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"} | more
        return await self.post(f"/widget/payments/{payment}/refund", body)

    async def open(self, url: str, **headers: str) -> httpx.Response:
        return await self.http.get(url, headers=headers)

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Stripe's sessions, oldest first."""
        shelf = self.stripe.default_account.shelves[False]
        return list(shelf.objects.get("checkout.session", {}).values())

    @property
    def session(self) -> dict[str, Any]:
        return self.sessions[-1]

    @property
    def payable(self) -> list[dict[str, Any]]:
        return [session for session in self.sessions if session["status"] == "open"]

    def calls(self, method: str = "POST", path: str = SESSIONS) -> list[Any]:
        return [seen for seen in self.stripe.seen if (seen.method, seen.path) == (method, path)]

    def fault(self, kind: str, path: str = f"{SESSIONS}*", *, count: int = 10, **more: Any) -> None:
        self.stripe.faults.order(Fault(kind, path, count=count, **more))

    async def connect(self, api_key: str) -> None:
        """Stripe by another key."""
        async with self.resources.database.write() as session:
            connection = await session.get_one(StripeConnection, CONNECTION)
            connection.api_key = self.resources.vault.seal_text(api_key, f"stripe_connection:{CONNECTION}:api_key")

    async def disconnect(self) -> None:
        """The key is gone, what it did stays."""
        async with self.resources.database.write() as session:
            connection = await session.get_one(StripeConnection, CONNECTION)
            connection.api_key = ""

    def kommo_is_away(self) -> None:
        self.kommo.faults.add("502_html", times=0)

    async def set_options(self, **options: Any) -> None:
        async with self.resources.database.write() as session:
            account = await session.get_one(Account, self.kommo.account.id)
            account.options = account.options | options


@asynccontextmanager
async def open_shop(database_url: str) -> AsyncIterator[Shop]:
    clock = MovableClock()
    kommo, stripe = KommoWorld(clock, seed=3, switches={"account_rate": "none"}), StripeWorld(clock, seed=3)
    kommo.limits.rate = 1000
    port = free_port()
    async with serving(kommo_app(kommo)) as kommo_url, serving(stripe_app(stripe)) as stripe_url:
        kommo.base_url, stripe.base_url = kommo_url, stripe_url
        settings = _settings(database_url, f"http://127.0.0.1:{port}", kommo_url, stripe_url)
        async with open_resources(settings, clock) as resources:
            client_id = await _furnish(resources, kommo, stripe)
            async with _served(resources, settings, port) as http:
                yield Shop(clock, kommo, stripe, resources, client_id, settings, http)


@asynccontextmanager
async def _served(resources: Resources, settings: Settings, port: int = 0) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(resources, admin_token=settings.admin_token.get_secret_value())
    async with (
        serving(app, port) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=30.0, limits=LIMITS) as http,
    ):
        yield http


def _settings(database_url: str, public_url: str, kommo_url: str, stripe_url: str) -> Settings:
    return Settings(
        _env_file=None,
        public_url=public_url,
        database_url=database_url,
        secret_keys=[SecretStr("a made-up key for tests")],
        admin_token=SecretStr("made-up-admin"),
        kommo_base_url=kommo_url,
        kommo_oauth_url=f"{kommo_url}/oauth",
        stripe_api_base=stripe_url,
    )


async def _furnish(resources: Resources, kommo: KommoWorld, stripe: StripeWorld) -> str:
    """An account that is connected to both sides; its integration's id."""
    await upgrade(resources.database)
    account = kommo.account
    integration = kommo.add_integration(account, resources.addresses.redirect_uri)
    pair = kommo.issue_pair(integration.client_id, account.admin.id)
    tokens = orjson.dumps({"access_token": pair.access, "refresh_token": pair.refresh}).decode()
    seal, client_id = resources.vault.seal_text, integration.client_id
    async with resources.database.write() as session:
        session.add(
            Integration(
                client_id=client_id,
                secret=seal(integration.client_secret, f"integration:{client_id}:secret"),
                redirect_uri=integration.redirect_uri,
                account_id=account.id,
            )
        )
        session.add(
            Account(
                id=account.id,
                client_id=client_id,
                base_url=kommo.base_url,
                subdomain=account.subdomain,
                tokens=seal(tokens, f"account:{account.id}:tokens"),
                token_issued_at=resources.clock(),
                token_expires_at=pair.access_until,
                currency="EUR",
                connected_at=resources.clock(),
            )
        )
        session.add(
            StripeConnection(
                id=CONNECTION,
                account_id=account.id,
                label="Acme Studio",
                api_key=seal(stripe.default_account.secret_key, f"stripe_connection:{CONNECTION}:api_key"),
            )
        )
    return client_id
