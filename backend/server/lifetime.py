"""What each process does around its work: the start, the notes beside it, and the end within a bounded time."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable

import structlog

from backend.accounts.from_environment import ensure_environment
from backend.accounts.install.exchange import finish_exchanges
from backend.accounts.install.kept_answers import take_up_kept_answers
from backend.accounts.tokens.refresh import finish_refreshes
from backend.core.config import Settings
from backend.resources import Resources
from backend.storage.counters import keep_counts, store_counts
from backend.storage.migrations import upgrade
from backend.work_queue.clocks import NOTE_SECONDS, forget_clock, note_clock

TOKENS_GRACE_SECONDS = 3.0
END_SECONDS = 18.0
"""Hard limit of the shutdown. The graces and the steps after them (handing back, closing) usually need less; see
``_end_at_the_latest``."""
LAST_COUNT_SECONDS = 1.0
log = structlog.get_logger()


async def prepare(resources: Resources, settings: Settings) -> None:
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


@contextlib.asynccontextmanager
async def counting(resources: Resources) -> AsyncIterator[None]:
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


def on_stop(stop: Callable[[], object]) -> None:
    """Calls ``stop`` on SIGTERM and SIGINT; the process ends ``END_SECONDS`` after that at the latest."""

    def end() -> None:
        stop()
        _end_at_the_latest()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)


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
