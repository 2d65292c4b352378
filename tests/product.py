"""The product between the two local worlds, in one process but over real HTTP: what tests of the whole act on."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from sqlmodel import SQLModel, select

from backend.accounts.from_environment import ensure_environment
from backend.core.clock import Clock, system_clock
from backend.core.config import Settings
from backend.rate_limit.limiter import Pace
from backend.resources import Resources, open_resources
from backend.storage.migrations import upgrade
from backend.storage.models import AccountWork, InboxEvent
from backend.web.app import create_app
from backend.worker.loop import Worker
from sandbox import kommo as kommo_app
from sandbox import stripe as stripe_app
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.records import Note
from sandbox.kommo.views import lead_in_full
from sandbox.serving import free_port, serving
from sandbox.stripe import Payer, StripeWorld

ADMIN_TOKEN = "admin-token-of-the-tests"
WAIT_SECONDS = 12.0


@dataclass
class Product:
    """A running product, connected to the first account of ``kommo`` and, by a live key, to ``stripe``."""

    kommo: KommoWorld
    stripe: StripeWorld
    integration: Integration
    resources: Resources
    worker: Worker
    url: str
    http: httpx.AsyncClient

    @property
    def account(self) -> KommoAccount:
        return self.kommo.account

    @property
    def admin(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {ADMIN_TOKEN}"}

    def token(self, user_id: int | None = None) -> dict[str, str]:
        """The header that Kommo's page adds to the widget's calls."""
        user = user_id or self.account.admin.id
        return {"X-Auth-Token": self.kommo.one_time_token(self.integration.client_id, user)}

    def lead(self, name: str = "Sofa", price: int = 0, **given: Any) -> int:
        return self.account.add_lead(name, price, **given).id

    def deal(self, lead_id: int) -> dict[str, Any]:
        return lead_in_full(self.account, self.account.leads[lead_id])

    def fields(self, lead_id: int) -> dict[str, Any]:
        fields: dict[str, Any] = self.deal(lead_id)["fields"]
        return fields

    def notes(self, lead_id: int) -> list[Note]:
        return self.account.notes_of(lead_id)

    async def ask(self, lead_id: int, amount: str = "120.00", currency: str = "USD", **given: Any) -> httpx.Response:
        """The rep presses the button."""
        body = {
            "request_id": str(uuid.uuid4()),
            "lead_id": lead_id,
            "amount": amount,
            "currency": currency,
            "description": "Sofa",
            "mode": "payment",
        }
        return await self.http.post(f"{self.url}/widget/requests", json=body | given, headers=self.token())

    async def link(self, lead_id: int, amount: str = "120.00", currency: str = "USD", **given: Any) -> str:
        """A link for this deal; where Stripe's session of it lives is the last part of where it leads."""
        answer = await self.ask(lead_id, amount, currency, **given)
        assert answer.status_code == 201, answer.text
        url: str = answer.json()["url"]
        return url

    async def pay(self, link: str, payer: Payer | None = None) -> str:
        """The client opens the link and pays; the session's id."""
        opened = await self.http.get(link)
        assert opened.status_code == 303, opened.text
        session_id = opened.headers["location"].rpartition("/")[2].partition("#")[0]
        self.stripe.pay_session(session_id, payer)
        return str(session_id)

    async def paid_deal(self, amount: str = "120.00", currency: str = "USD", **given: Any) -> int:
        lead_id = self.lead(**given)
        await self.pay(await self.link(lead_id, amount, currency))
        await self.until(lambda: self.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid" and self.notes(lead_id))
        await self.quiet()
        return lead_id

    async def until(self, holds: Callable[[], Any], seconds: float = WAIT_SECONDS) -> None:
        for _ in range(int(seconds / 0.02)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"did not come true within {seconds} seconds")

    async def quiet(self) -> None:
        """Every delivery is over and nothing waits in inbox or writer."""

        async def busy() -> bool:
            if any(delivery.status == "pending" for delivery in self.stripe.courier.deliveries):
                return not self.stripe.courier.held
            events = await self.rows(InboxEvent)
            work = await self.rows(AccountWork)
            return any(e.state == "new" for e in events) or any(w.done < w.wanted or w.owner for w in work)

        for _ in range(int(WAIT_SECONDS / 0.05)):
            if not await busy():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the product did not come to rest")

    async def rows(self, table: type[SQLModel]) -> list[Any]:
        async with self.resources.database.read() as session:
            return list((await session.exec(select(table))).all())


def settings(
    kommo: KommoWorld, stripe: StripeWorld, integration: Integration, url: str, database_url: str, **more: Any
) -> Settings:
    pipeline = kommo.account.main_pipeline
    paid = next(status.id for status in pipeline.statuses if status.name == "Paid")
    known: dict[str, Any] = {
        "public_url": url,
        "database_url": database_url,
        "secret_keys": "a sealing key of the tests",
        "admin_token": ADMIN_TOKEN,
        "kommo_client_id": integration.client_id,
        "kommo_client_secret": integration.client_secret,
        "kommo_base_url": kommo.base_url,
        "kommo_oauth_url": f"{kommo.base_url}/oauth",
        "stripe_api_base": stripe.base_url,
        "stripe_api_key": next(text for text in stripe.default_account.keys if "_live_" in text),
        "paid_stages": f"{pipeline.id}:{paid}",
        "kommo_rate": 6.9,
        "kommo_ip_rate": 1000,
    }
    return Settings(_env_file=None, **(known | more))


def _at_full_speed(resources: Resources) -> Resources:
    """No admin may set such a rate; waiting for slots is tested where it is the matter."""
    pace = Pace(resources.database, resources.clock, account_rate=1000.0, address_rate=1000.0)
    return replace(resources, pace=pace)


@asynccontextmanager
async def running(
    database_url: str,
    *,
    clock: Clock = system_clock,
    connected: bool = True,
    worlds: tuple[KommoWorld, StripeWorld] | None = None,
    more: Mapping[str, Any] | None = None,
) -> AsyncIterator[Product]:
    """Everything served; installed and set up unless ``connected`` is False. ``more`` are settings that differ."""
    async with AsyncExitStack() as stack:
        kommo, stripe = worlds or (KommoWorld(clock), StripeWorld(clock))
        kommo.limits.rate = 1000  # the tests that are about the rate set it back
        kommo.base_url = await stack.enter_async_context(serving(kommo_app.create_app(kommo)))
        stripe.base_url = await stack.enter_async_context(serving(stripe_app.create_app(stripe)))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        integration = kommo.add_integration(
            kommo.account, f"{url}/oauth/kommo/callback", disable_uri=f"{url}/kommo/uninstall"
        )
        chosen = settings(kommo, stripe, integration, url, database_url, **dict(more or {}))
        resources = await stack.enter_async_context(open_resources(chosen, clock))
        if not {"kommo_rate", "kommo_ip_rate"} & (more or {}).keys():
            resources = _at_full_speed(resources)
        await upgrade(resources.database)
        await ensure_environment(resources, chosen)
        await stack.enter_async_context(serving(create_app(resources, admin_token=ADMIN_TOKEN), port))
        http = await stack.enter_async_context(
            httpx.AsyncClient(timeout=30.0, limits=httpx.Limits(keepalive_expiry=2.0))
        )
        worker = Worker(resources)
        working = asyncio.create_task(worker.run())
        product = Product(kommo, stripe, integration, resources, worker, url, http)
        try:
            if connected:
                await install(product)
            yield product
        finally:
            worker.stop()
            await working


async def install(product: Product) -> None:
    """An admin allows us on Kommo's consent page, and set-up is over."""
    begun = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
    agreed = await product.http.get(f"{begun.headers['location']}&auto=allow")
    done = await product.http.get(agreed.headers["location"])
    assert done.status_code == 200, done.text
    await product.until(lambda: product.stripe.default_account.shelves[True].endpoints)
    await product.quiet()
