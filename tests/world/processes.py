"""The parts of a process of ours: its connections, its web, its worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx

from backend.core.clock import Clock
from backend.core.config import Settings
from backend.resources import Resources, open_resources
from backend.web.app import create_app
from backend.web.connections import BoundedProtocol, bounded_protocol
from backend.web.edge import Limits
from backend.worker.loop import Worker
from sandbox.serving import NOBODY, serving
from tests.world.settings import ADMIN_TOKEN, PUBLIC_URL

LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""Well before the server ends an idle connection, at five seconds: a browser may take as long for a few pages."""


ANY_REFUSALS = Limits(refusals=1_000_000)
"""For a test that every route refuses: beyond 200 refusals of a minute, the product answers each a second later."""


class KommoHosts(httpx.AsyncHTTPTransport):
    """Every ``*.kommo.com`` is the one server at ``address``, which sees the host that was meant."""

    def __init__(self, address: str) -> None:
        super().__init__(verify=NOBODY, limits=httpx.Limits(keepalive_expiry=1.0))  # well before the server ends them
        self.address = address

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host.endswith(".kommo.com"), request.url
        server = httpx.URL(self.address)
        request.url = request.url.copy_with(scheme="http", host=server.host, port=server.port)
        return await super().handle_async_request(request)


@asynccontextmanager
async def open_process(
    settings: Settings, clock: Clock, kommo: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Resources]:
    """The connections of a process; ``kommo`` is its way to Kommo, where it has one of its own."""
    async with open_resources(settings, clock) as opened:
        if kommo is None:
            yield opened
            return
        async with httpx.AsyncClient(transport=kommo, timeout=30.0, verify=NOBODY) as http:
            yield replace(opened, kommo_http=http)


@asynccontextmanager
async def served_web(
    resources: Resources, port: int = 0, *, limits: Limits | None = None, protocol: type[BoundedProtocol] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the web, which is served on a port of its own; what requests may cost is the product's to say."""
    app = create_app(resources, admin_token=ADMIN_TOKEN, limits=limits)
    async with (
        serving(app, port, http=protocol or bounded_protocol(), ws="none") as address,
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=30.0, limits=LIMITS, verify=NOBODY) as http,
    ):
        yield http


@asynccontextmanager
async def called_web(resources: Resources, *, limits: Limits | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the web, which is called without a server, at the public address."""
    transport = httpx.ASGITransport(create_app(resources, admin_token=ADMIN_TOKEN, limits=limits))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        yield http


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    """The worker runs until the block ends."""
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task
