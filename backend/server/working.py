"""The worker alone: for as long as the process lives, or once for a scheduler."""

from collections.abc import Callable
from dataclasses import asdict

import structlog

from backend.core.clock import Clock, system_clock
from backend.core.config import Settings
from backend.core.progress import unsaid
from backend.resources import open_resources
from backend.server.lifetime import counting, on_stop, prepare
from backend.worker.loop import Worker
from backend.worker.waiting import what_waits

WORKER_GRACE_SECONDS = 12.0
log = structlog.get_logger()


async def drain(
    settings: Settings, *, at_most: float, clock: Clock = system_clock, say: Callable[[str], object] = unsaid
) -> None:
    """Do the work that is due, and what the worker looks at beside it once; then end. After ``at_most`` seconds nothing
    is begun any more. ``say`` is told how much was done and what is left."""
    async with open_resources(settings, clock) as resources:
        worker = Worker(resources)
        on_stop(worker.stop)
        await prepare(resources, settings)
        async with counting(resources):
            turns = await worker.drain(WORKER_GRACE_SECONDS, at_most)
            left = await what_waits(resources)
            log.info("worker drained", turns=turns, **asdict(left))
    say(f"Turns: {turns}. {f'Left for the next run: {left}.' if str(left) else 'Nothing waits.'}")


async def work(settings: Settings, *, clock: Clock = system_clock) -> None:
    """Run only the worker, until SIGTERM or SIGINT."""
    async with open_resources(settings, clock) as resources:
        worker = Worker(resources)
        on_stop(worker.stop)
        await prepare(resources, settings)
        log.info("worker started")
        async with counting(resources):
            await worker.run(WORKER_GRACE_SECONDS)
