"""One ASGI app: the API under /v1, the payer's pages under /c, the controls under /_sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from sandbox.stripe import control
from sandbox.stripe.api.door import Door
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.pages import pages
from sandbox.stripe.world import StripeWorld


def create_app(world: StripeWorld) -> FastAPI:
    """Deliveries run while the app does. Set ``world.base_url`` once the address is known."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        courier = asyncio.create_task(world.courier.run())
        clockwork = asyncio.create_task(_clockwork(world))
        yield
        for task in (courier, clockwork):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    app = FastAPI(title="Stripe, played on this machine", lifespan=life)
    app.state.world = world
    app.add_exception_handler(Refusal, _refused)
    app.router.routes += [*control.ROUTES, *pages.router.routes]
    app.mount("/", Door(world))
    return app


async def _clockwork(world: StripeWorld) -> None:
    while True:
        world.tick()
        await asyncio.sleep(0.2)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return JSONResponse(error.as_json(), error.status)
