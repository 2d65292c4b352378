"""Frees the leases and token-refresh turns of processes that died."""

import structlog

from backend.core.clock import Clock
from backend.storage.db import Database
from backend.work_queue.leases import free, held_locks
from backend.work_queue.presence import Presence

DEAD_SECONDS = 0.3
"""How often a worker checks which of the other processes died."""
log = structlog.get_logger()


async def free_what_the_dead_held(database: Database, presence: Presence, clock: Clock) -> bool:
    """Free everything held by dead processes; True if there was anything."""
    dead = await presence.dead(await held_locks(database, clock()))
    if dead:
        log.warning("dead processes reclaimed", count=len(dead))
        await free(database, dead, clock())
    return bool(dead)
