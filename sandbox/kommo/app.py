"""The world as an ASGI app: Kommo's own addresses behind the gate, the control routes beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from sandbox.kommo.api import api_routes
from sandbox.kommo.control import control_routes
from sandbox.kommo.gate import pass_through
from sandbox.kommo.hooks.hooks import keep_delivering
from sandbox.kommo.host import mount_host
from sandbox.kommo.oauth.oauth import oauth_routes
from sandbox.kommo.world import KommoWorld


@asynccontextmanager
async def _delivering(world: KommoWorld) -> AsyncIterator[None]:
    """Hooks go out while the world is served."""
    task = asyncio.create_task(keep_delivering(world))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class KommoApp(FastAPI):
    """``/api/`` and ``/oauth2/`` go through the gate; pages and control routes know no faults and no limits."""

    def __init__(self, world: KommoWorld) -> None:
        super().__init__(openapi_url=None, lifespan=lambda _app: _delivering(world))
        self.world = world
        self.router.routes.extend([*oauth_routes(world), *api_routes(world), *control_routes(world)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("/api/", "/oauth2/")):
            await pass_through(self.world, super().__call__, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(world: KommoWorld) -> KommoApp:
    app = KommoApp(world)
    mount_host(app, world)
    return app
