"""Readiness of this process: the database takes a write, a worker is polling, and no event is overdue."""

import asyncio
from collections.abc import Mapping

from sqlalchemy import case, func
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.inbox.store import is_waiting
from backend.rate_limit.store import blocked_at
from backend.resources import Resources
from backend.storage.counters import count_up
from backend.storage.models import InboxEvent, StripeConnection, WorkerBeat
from backend.web.http.throttle import Buckets
from backend.work_queue.clocks import clocks_apart

PATIENCE_SECONDS = 5.0
BEAT_IS_OLD_SECONDS = 30.0
INBOX_IS_OLD_SECONDS = 300.0
"""Far longer than a burst of events takes, and soon enough for an operator to look before a payer asks."""
TOLD_ONLY = ("kommo", "clocks")
"""Checks that are reported and do not make the process unready."""
LOOKS_A_SECOND, LOOKS_AT_ONCE = 1.0, 20.0
EVERYBODY = (0, 0)


def is_ready(checks: Mapping[str, str]) -> bool:
    """Return whether every check except the reported-only ones is ``ok``."""
    return all(said == "ok" for name, said in checks.items() if name not in TOLD_ONLY)


class Readiness:
    """Runs the readiness checks on demand and shares their results.

    The route is public and a check writes to the database, so concurrent callers share one check, and a lasting flood
    causes one check a second. The checks run outside the web's database share, or a flood would make a working process
    look dead.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._looks = Buckets(resources.clock, rate=LOOKS_A_SECOND, burst=LOOKS_AT_ONCE, most=1)
        self._started_at = resources.clock()
        self._seen: dict[str, str] = {}
        self._looking: asyncio.Task[dict[str, str]] | None = None

    async def checks(self) -> dict[str, str]:
        """Return each check's result by name: ``ok``, or a sentence with the problem; only ``database`` if the look
        failed.
        """
        if self._looking is None:
            if self._seen and not self._looks.take(EVERYBODY):
                return self._seen
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._looked)
        return await asyncio.shield(self._looking)

    def _looked(self, look: asyncio.Task[dict[str, str]]) -> None:
        self._looking = None
        if not look.cancelled():
            self._seen = look.result()

    async def _look(self) -> dict[str, str]:
        resources = self._resources
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await count_up(resources.database, {("readyz", ()): 1.0})
                checks = {"database": "ok"} | await _checks(resources, self._started_at)
                told = {"kommo": await _blocked(resources)}
                return checks | told | {"clocks": await clocks_apart(resources.database, resources.clock) or "ok"}
        except Exception as error:  # any failure must be visible to the operator here
            return {"database": f"unavailable: {type(error).__name__}"}


async def _checks(resources: Resources, started_at: float) -> dict[str, str]:
    """Return the worker's and the inbox's results. After a start the worker gets time to start as well."""
    now = resources.clock()
    async with resources.database.read() as session:
        beats = select(func.max(WorkerBeat.at)).where(col(WorkerBeat.at) <= now + BEAT_IS_OLD_SECONDS)
        last = (await session.exec(beats)).one() or 0.0
        since = (await session.exec(_oldest_due())).one() or now
    silent, waits = now - max(last, started_at), now - since
    return {
        "worker": "ok" if silent < BEAT_IS_OLD_SECONDS else f"no worker has looked for work for {silent:.0f} s",
        "inbox": "ok" if waits < INBOX_IS_OLD_SECONDS else f"an event has been due for {waits:.0f} s",
    }


async def _blocked(resources: Resources) -> str:
    """Return for how long Kommo has blocked our address.

    Not a reason to be unready: events are stored and links work.
    """
    async with resources.database.read() as session:
        since = await blocked_at(session)
    minutes = (resources.clock() - since) / 60
    return f"Kommo has blocked our address for {minutes:.0f} min" if since else "ok"


def _oldest_due() -> SelectOfScalar[float]:
    """Select the epoch second since which the longest-waiting event could have been processed.

    An event whose account is not connected yet, or whose next try is in the future, is not late.
    """
    since = case(
        (col(InboxEvent.next_try_at) > InboxEvent.received_at, InboxEvent.next_try_at), else_=InboxEvent.received_at
    )
    return (
        select(func.min(since))
        .join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id)
        .where(
            is_waiting(),
            col(StripeConnection.account_id).is_not(None),
        )
    )
