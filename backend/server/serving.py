"""The web, with the worker beside it or without."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog

from backend.admin.missing import missing
from backend.core.clock import Clock, system_clock
from backend.core.config import Settings
from backend.core.progress import unsaid
from backend.resources import Resources, open_resources
from backend.server.lifetime import counting, on_stop, prepare
from backend.server.working import WORKER_GRACE_SECONDS
from backend.web.app import create_app
from backend.web.listening import CannotListen, WebServer, address_of, listening_sockets, web_config
from backend.work_queue.burial import DEAD_SECONDS, free_what_the_dead_held
from backend.work_queue.presence import Presence, present
from backend.worker.loop import Worker

log = structlog.get_logger()


async def serve(
    settings: Settings, *, with_worker: bool, clock: Clock = system_clock, say: Callable[[str], object] = unsaid
) -> None:
    """Run the web, and with ``with_worker`` also the worker, until SIGTERM or SIGINT.

    ``say`` gets sentences about where it listens and what is missing. Raises ``CannotListen`` before anything else
    happens.
    """
    sockets = listening_sockets(settings.host, settings.port)
    with contextlib.ExitStack() as closing:
        for one in sockets:
            closing.enter_context(one)
        async with open_resources(settings, clock) as resources:
            app = create_app(resources, admin_token=settings.admin_token.get_secret_value())
            server = WebServer(web_config(app, settings.trusted_proxies), partial(_tell, resources, sockets, say))
            worker = Worker(resources) if with_worker else None
            on_stop(partial(_stop, server, worker))
            await prepare(resources, settings)
            async with counting(resources):
                await _serve(server, sockets, resources, worker)


def _stop(server: WebServer, worker: Worker | None) -> None:
    server.should_exit = True
    if worker is not None:
        worker.stop()


async def _serve(server: WebServer, sockets: list[socket.socket], resources: Resources, worker: Worker | None) -> None:
    if worker is None:
        async with _proving_life(resources):
            await server.serve(sockets)
        return
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(WORKER_GRACE_SECONDS))
            await server.serve(sockets)
            worker.stop()
    except* CannotListen as group:
        raise group.exceptions[0] from None


async def _tell(resources: Resources, sockets: list[socket.socket], say: Callable[[str], object]) -> None:
    public = resources.addresses.public_url
    say(f"Listening on {', '.join(map(address_of, sockets))} for {public}")
    say(f"Set-up: {public}/admin (operators sign in with ADMIN_TOKEN, administrators come from Kommo)")
    for sentence in await missing(resources):
        say(f"Missing: {sentence}")


@contextlib.asynccontextmanager
async def _proving_life(resources: Resources) -> AsyncIterator[None]:
    """Hold the presence of a web process without a worker: others see its death, and it frees what the dead held."""
    async with present(resources.database, resources.work_arrived, resources.randomness) as presence:
        resources.alive.lock = lambda: presence.lock
        looking = asyncio.create_task(_look_after_the_dead(resources, presence))
        try:
            yield
        finally:
            resources.alive.lock = lambda: 0
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def _look_after_the_dead(resources: Resources, presence: Presence) -> None:
    while True:
        try:
            await free_what_the_dead_held(resources.database, presence, resources.clock)
        except Exception:  # the database is unreachable: the next round may reach it
            log.exception("timer failed", timer="reclaim accounts of dead workers")
        await asyncio.sleep(DEAD_SECONDS)
