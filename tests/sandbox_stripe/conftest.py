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

from backend.clock import MovableClock
from backend.sandbox.serving import serving
from backend.sandbox.stripe import StripeWorld, create_app

stripe.enable_telemetry = False
PINNED, LEGACY = "2026-10-28.endive", "2023-08-16"


@pytest.fixture
async def world() -> AsyncIterator[StripeWorld]:
    world = StripeWorld(MovableClock(), seed=7)
    async with serving(create_app(world)) as address:
        world.base_url = address
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
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    async with serving(Starlette(routes=[Route("/hook", listener.receive, methods=["POST"])])) as address:
        listener.url = f"{address}/hook"
        yield listener


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
