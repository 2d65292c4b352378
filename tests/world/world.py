"""The two local worlds and the product between them, in one process but over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

import httpx
from sqlmodel import SQLModel, select

from backend.accounts.from_environment import ensure_environment
from backend.core.config import Settings
from backend.resources import Resources
from backend.storage.migrations import upgrade
from backend.storage.models import AccountWork, InboxEvent
from backend.worker.loop import Worker
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.grants import Integration
from sandbox.stripe import Payer, StripeWorld
from tests.world.processes import KommoHosts, open_process, served_web, working
from tests.world.settings import environment, settings
from tests.world.stored import Stored
from tests.world.view import WorldView

WAIT_SECONDS = 30.0


@dataclass
class World(WorldView):
    """``hosts`` is the product's way to Kommo where every account has a host of its own."""

    clock: MovableClock
    kommo: KommoWorld
    stripe: StripeWorld
    integration: Integration
    settings: Settings
    resources: Resources
    worker: Worker
    url: str
    http: httpx.AsyncClient
    hosts: KommoHosts | None = None

    @property
    def kommo_address(self) -> str:
        """Where Kommo is served, whatever hosts it is called by."""
        return self.hosts.address if self.hosts else self.kommo.base_url

    @property
    def stored(self) -> Stored:
        return Stored(self.resources, self.account.id)

    async def ask(self, lead_id: int, amount: str = "120.00", currency: str = "USD", **given: Any) -> httpx.Response:
        """The rep presses the button."""
        return await self.rep.ask(lead_id=lead_id, amount=amount, currency=currency, **{"description": "Sofa"} | given)

    async def link(self, lead_id: int, amount: str = "120.00", currency: str = "USD", **given: Any) -> str:
        """A link for this deal; where Stripe's session of it lives is the last part of where it leads."""
        answer = await self.ask(lead_id, amount, currency, **given)
        assert answer.status_code == 201, answer.text
        url: str = answer.json()["url"]
        return url

    async def open(self, url: str, **headers: str) -> httpx.Response:
        """The client opens one of our pages."""
        return await self.http.get(url, headers=headers)

    async def pay(self, link: str, payer: Payer | None = None) -> str:
        """The client opens the link and pays; the session's id."""
        opened = await self.open(link)
        while "refresh" in opened.headers:  # a slow machine's page asks again by itself, as a browser would
            seconds, _, again = opened.headers["refresh"].partition("; url=")
            await asyncio.sleep(int(seconds))
            opened = await self.open(urljoin(link, again))
        assert opened.status_code == 303, opened.text
        session_id = opened.headers["location"].rpartition("/")[2].partition("#")[0]
        self.stripe.pay_session(session_id, payer)
        return str(session_id)

    async def paid(self, **more: Any) -> dict[str, Any]:
        """A request that was paid, and of which the ledger knows it, with no worker's help."""
        request = await self.rep.create(**more)
        self.stripe.pay_session(self.checkout.session["id"])
        await self.rep.check()
        return request

    async def paid_deal(self, amount: str = "120.00", currency: str = "USD", **given: Any) -> int:
        """A deal that shows what was paid for it, by the worker's help."""
        lead_id = self.lead(**given)
        await self.pay(await self.link(lead_id, amount, currency))
        await self.until(lambda: self.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid" and self.notes(lead_id))
        await self.quiet()
        return lead_id

    async def may_refund(self) -> None:
        await self.stored.set_options(refunds=[self.account.admin.id])

    def kommo_is_away(self) -> None:
        self.kommo.faults.add("502_html", times=0)

    async def until(self, holds: Callable[[], Any], seconds: float = WAIT_SECONDS) -> None:
        for _ in range(int(seconds / 0.02)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"did not come true within {seconds} seconds")

    async def quiet(self) -> None:
        """Every delivery is over and nothing waits in inbox or writer."""
        for _ in range(int(WAIT_SECONDS / 0.05)):
            if not await self._busy():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the product did not come to rest")

    async def _busy(self) -> bool:
        if any(delivery.status == "pending" for delivery in self.stripe.courier.deliveries):
            return not self.stripe.courier.held
        events = await self.rows(InboxEvent)
        work = await self.rows(AccountWork)
        return any(e.state == "new" for e in events) or any(w.done < w.wanted or w.owner for w in work)

    async def rows(self, table: type[SQLModel]) -> list[Any]:
        async with self.resources.database.read() as session:
            return list((await session.exec(select(table))).all())

    def process(self) -> AbstractAsyncContextManager[Resources]:
        """Another process of ours on the same database."""
        return open_process(self.settings, self.clock, self.hosts)

    @asynccontextmanager
    async def another_web(self) -> AsyncIterator[httpx.AsyncClient]:
        """A browser at a second web process on the same database."""
        async with self.process() as resources, served_web(resources) as http:
            yield http

    @asynccontextmanager
    async def started_again(self, database_url: str, **more: Any) -> AsyncIterator["World"]:
        """Another web and worker of the product between the same worlds, with ``more`` settings."""
        known = environment(self.kommo, self.stripe, self.integration, self.url)
        chosen = settings(database_url, **known | more)
        async with open_process(chosen, self.clock) as resources:
            await upgrade(resources.database)
            await ensure_environment(resources, chosen)
            worker = Worker(resources)
            async with served_web(resources) as http, working(worker):
                url = str(http.base_url).rstrip("/")
                yield replace(self, settings=chosen, resources=resources, worker=worker, url=url, http=http)
