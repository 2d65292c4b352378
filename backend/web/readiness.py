"""Whether this process can work: the database takes a write, some worker beats, no event is left lying."""

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
"""Far more than a burst of events takes, and soon enough for somebody to look before a client asks."""
TOLD_ONLY = ("kommo", "clocks")
"""Said, but no reason not to be ready."""
LOOKS_A_SECOND, LOOKS_AT_ONCE = 1.0, 20.0
EVERYBODY = (0, 0)


def is_ready(checks: Mapping[str, str]) -> bool:
    """Whether all holds that keeps this process from working."""
    return all(said == "ok" for name, said in checks.items() if name not in TOLD_ONLY)


class Readiness:
    """Looks when it is asked. Anybody may ask, and a look is a write: those who ask at once share it, and of a flood
    that goes on there is one look a second.

    The look is beside the share of the web, or a flood would make a process that works look dead.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._looks = Buckets(resources.clock, rate=LOOKS_A_SECOND, burst=LOOKS_AT_ONCE, most=1)
        self._started_at = resources.clock()
        self._seen: dict[str, str] = {}
        self._looking: asyncio.Task[dict[str, str]] | None = None

    async def checks(self) -> dict[str, str]:
        """What holds, by name: ``ok`` or what is wrong."""
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
        except Exception as error:  # whatever it is, an operator must see it here
            return {"database": f"unavailable: {type(error).__name__}"}


async def _checks(resources: Resources, started_at: float) -> dict[str, str]:
    """A web process that has just started gives the worker the time to start as well."""
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
    """Said, but no reason not to be ready: events are taken and links work all the same."""
    async with resources.database.read() as session:
        since = await blocked_at(session)
    minutes = (resources.clock() - since) / 60
    return f"Kommo has blocked our address for {minutes:.0f} min" if since else "ok"


def _oldest_due() -> SelectOfScalar[float]:
    """Since when the event that waits longest could have been worked in. One whose account is not connected yet, or
    that is to be tried again later, is not late."""
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
