"""A served Stripe, a client as the product builds it, and a listener that plays the shop's webhook address."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import stripe
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.clock import MovableClock
from sandbox.serving import serving
from sandbox.stripe import StripeWorld, create_app

stripe.enable_telemetry = False
PINNED, LEGACY = "2026-10-28.endive", "2023-08-16"


@dataclass
class Port:
    """One served address for the whole run, behind which each test puts its own app: starting a server is slow."""

    url: str = ""
    app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.app(scope, receive, send)


@pytest.fixture(scope="session")
async def stripes_port() -> AsyncIterator[Port]:
    port = Port()
    async with serving(port) as port.url:
        yield port


@pytest.fixture(scope="session")
async def shops_port() -> AsyncIterator[Port]:
    port = Port()
    async with serving(port) as port.url:
        yield port


@pytest.fixture
async def world(stripes_port: Port) -> AsyncIterator[StripeWorld]:
    world = StripeWorld(MovableClock(), seed=7)
    world.base_url = stripes_port.url
    stripes_port.app = app = create_app(world)
    async with app.router.lifespan_context(app):
        yield world


Client = Callable[[str], stripe.StripeClient]


@pytest.fixture
async def client_of(world: StripeWorld) -> AsyncIterator[Client]:
    http = stripe.HTTPXClient(timeout=10)
    yield lambda key: stripe.StripeClient(key, base_addresses={"api": world.base_url}, http_client=http)
    await http.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
async def client(world: StripeWorld, client_of: Client) -> stripe.StripeClient:
    return client_of(world.default_account.secret_key)


@pytest.fixture
async def visitor(world: StripeWorld) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=world.base_url, trust_env=False) as visitor:
        yield visitor


@dataclass
class Listener:
    """``got`` holds (headers, raw body); ``answers`` are the next statuses, then 200."""

    url: str = ""
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    async def receive(self, request: Request) -> Response:
        self.got.append((dict(request.headers), (await request.body()).decode()))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
async def listener(shops_port: Port) -> Listener:
    listener = Listener(f"{shops_port.url}/hook")
    shops_port.app = Starlette(routes=[Route("/hook", listener.receive, methods=["POST"])])
    return listener


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for what another task brings about."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for happens behind HTTP
            await asyncio.sleep(0.01)


def payment_params(**more: Any) -> Any:
    """A session for 10.00 EUR of lead 4711, in payment mode."""
    product = {"product_data": {"name": "Website"}, "currency": "eur", "unit_amount": 1000}
    return {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": product}],
        "success_url": "https://shop.example/done?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/back",
        "client_reference_id": "4711",
        "metadata": {"kommo_lead_id": "4711"},
        "payment_intent_data": {"metadata": {"kommo_lead_id": "4711"}},
    } | more


def subscription_params(**more: Any) -> Any:
    """10.00 EUR a month for lead 4711."""
    recurring = {"interval": "month"}
    product = {"product_data": {"name": "Care"}, "currency": "eur", "unit_amount": 1000, "recurring": recurring}
    return {
        "mode": "subscription",
        "line_items": [{"quantity": 1, "price_data": product}],
        "success_url": "https://shop.example/done",
        "client_reference_id": "4711",
        "subscription_data": {"metadata": {"kommo_lead_id": "4711"}},
    } | more


Listen = Callable[..., Awaitable[stripe.WebhookEndpoint]]


@pytest.fixture
async def listen(client: stripe.StripeClient, listener: Listener) -> Listen:
    """Make an endpoint of the listener: ``await listen("checkout.session.completed", version=LEGACY)``."""

    async def make(*types: Any, version: Any = PINNED) -> stripe.WebhookEndpoint:
        enabled = list(types) or ["*"]
        params: Any = {"url": listener.url, "enabled_events": enabled, "api_version": version}
        return await client.v1.webhook_endpoints.create_async(params)

    return make
