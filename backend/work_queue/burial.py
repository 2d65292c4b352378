"""What a process held that died: its leases and its turns to refresh a token, free for the others at once."""

import structlog

from backend.core.clock import Clock
from backend.storage.db import Database
from backend.work_queue.leases import free, held_locks
from backend.work_queue.presence import Presence

DEAD_SECONDS = 0.3
"""How often it is looked who of the other processes died."""
log = structlog.get_logger()


async def free_what_the_dead_held(database: Database, presence: Presence, clock: Clock) -> bool:
    """True where there was something."""
    dead = await presence.dead(await held_locks(database, clock()))
    if dead:
        log.warning("dead processes reclaimed", count=len(dead))
        await free(database, dead, clock())
    return bool(dead)
