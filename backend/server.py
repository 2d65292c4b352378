"""Runs the processes: the web, the worker, or both in one; migrates the database first and stops gracefully."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog

from backend.accounts.from_environment import ensure_environment
from backend.accounts.install.exchange import finish_exchanges
from backend.accounts.install.kept_answers import take_up_kept_answers
from backend.accounts.tokens.refresh import finish_refreshes
from backend.admin.missing import missing
from backend.core.clock import Clock, system_clock
from backend.core.config import Settings
from backend.core.progress import Progress, unsaid, unseen
from backend.resources import Resources, open_resources
from backend.storage.counters import keep_counts, store_counts
from backend.storage.migrations import upgrade
from backend.web.app import create_app
from backend.web.listening import CannotListen, WebServer, address_of, listening_sockets, web_config
from backend.work_queue.burial import DEAD_SECONDS, free_what_the_dead_held
from backend.work_queue.clocks import NOTE_SECONDS, forget_clock, note_clock
from backend.work_queue.presence import Presence, present
from backend.worker.loop import Worker

WORKER_GRACE_SECONDS = 12.0
TOKENS_GRACE_SECONDS = 3.0
END_SECONDS = 18.0
"""Hard limit of the shutdown. The graces and the steps after them (handing back, closing) usually need less; see
``_end_at_the_latest``."""
LAST_COUNT_SECONDS = 1.0
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
            _on_stop(server, worker)
            await _prepare(resources, settings)
            async with _counting(resources):
                await _serve(server, sockets, resources, worker)


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


async def drain(settings: Settings, *, clock: Clock = system_clock) -> None:
    """Give each due account a turn and run each timer once; then end."""
    async with open_resources(settings, clock) as resources:
        worker = Worker(resources)
        _on_stop(None, worker)
        await _prepare(resources, settings)
        async with _counting(resources):
            turns = await worker.drain(WORKER_GRACE_SECONDS)
            log.info("worker drained", turns=turns)


async def work(settings: Settings, *, clock: Clock = system_clock) -> None:
    """Run only the worker, until SIGTERM or SIGINT."""
    async with open_resources(settings, clock) as resources:
        worker = Worker(resources)
        _on_stop(None, worker)
        await _prepare(resources, settings)
        log.info("worker started")
        async with _counting(resources):
            await worker.run(WORKER_GRACE_SECONDS)


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


@contextlib.asynccontextmanager
async def _counting(resources: Resources) -> AsyncIterator[None]:
    """Store counters and the difference of this host's clock periodically, and the counters also at the end."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    keeping = [
        asyncio.create_task(keep_counts(resources.database)),
        asyncio.create_task(_note_clock(resources, name)),
    ]
    try:
        yield
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await asyncio.gather(finish_refreshes(TOKENS_GRACE_SECONDS), finish_exchanges(TOKENS_GRACE_SECONDS))
        for last in (store_counts(resources.database), forget_clock(resources.database, name)):
            with contextlib.suppress(Exception):  # an unreachable database must not delay the end
                await asyncio.wait_for(last, LAST_COUNT_SECONDS)


async def _note_clock(resources: Resources, name: str) -> None:
    while True:
        try:
            await note_clock(resources.database, name, resources.clock)
        except Exception:  # the database is unreachable; the next round stores it
            log.exception("clock record failed")
        await asyncio.sleep(NOTE_SECONDS)


async def migrate(settings: Settings, progress: Progress = unseen) -> int:
    """Run the missing migrations and return their number. Raises ``DatabaseUnusable``."""
    async with open_resources(settings, system_clock) as resources:
        resources.database.close_to_others()
        return await upgrade(resources.database, progress)


async def _prepare(resources: Resources, settings: Settings) -> None:
    """Migrate the database and store kept answers and the environment's settings before the first request."""
    resources.database.close_to_others()
    await upgrade(resources.database)
    await take_up_kept_answers(resources)
    await ensure_environment(resources, settings)
    _spare_the_collector()


def _spare_the_collector() -> None:
    """Exclude the objects made at the start from garbage collection: they live as long as the process, and walking
    them took over 100 ms per pass, the longest wait of a request."""
    gc.collect()
    gc.freeze()


def _on_stop(server: WebServer | None, worker: Worker | None) -> None:
    def stop() -> None:
        if server is not None:
            server.should_exit = True
        if worker is not None:
            worker.stop()
        _end_at_the_latest()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)


def _end_at_the_latest() -> None:
    """End the process ``END_SECONDS`` from now even if it hangs: a locked or silent database blocks its threads.

    Work under way then is in the same state as after a crash, which loses nothing.
    """
    timer = threading.Timer(END_SECONDS, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    log.warning("shutdown timed out", reason="most likely the database hangs")
    sys.stdout.flush()
    os._exit(0)
