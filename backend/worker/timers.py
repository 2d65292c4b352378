"""Periodic tasks of a worker, next to the turns of the accounts."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from backend.accounts.install.use_codes import connect_waiting
from backend.accounts.provisioning import look_again
from backend.accounts.stripe.compared_endpoints import compare_endpoints
from backend.accounts.tokens.call import refresh_idle
from backend.automation.retention import prune_automation
from backend.deal_sync.merges.feed import look_for_merges
from backend.inbox.backfill import look_for_missed
from backend.inbox.retention import prune_inbox
from backend.worker.block_probe import probe_block

log = structlog.get_logger()
TIMERS = (
    (10.0, connect_waiting),
    (10.0, probe_block),
    (60.0, look_for_merges),
    (600.0, refresh_idle),
    (600.0, compare_endpoints),
    (600.0, look_again),
    (600.0, look_for_missed),
    (3600.0, prune_inbox),
    (3600.0, prune_automation),
)
"""Interval in seconds and task; each also runs at the start."""


async def every(seconds: float, what: str, call: Callable[[], Awaitable[object]]) -> None:
    """Run ``call`` every ``seconds`` for ever; a failure is logged under ``what``."""
    while True:
        await quietly(what, call)
        await asyncio.sleep(seconds)


async def quietly(what: str, call: Callable[[], Awaitable[object]]) -> None:
    """Run ``call`` once; a failure is logged under ``what``, not raised."""
    try:
        await call()
    except Exception:  # a timer's failure must not end the worker; the next round tries again
        log.exception("timer failed", timer=what)
