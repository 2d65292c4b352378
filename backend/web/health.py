"""For operators: is it alive, can it work, and what does it count."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import case, func
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.core import metrics
from backend.inbox.store import is_waiting
from backend.rate_limit.store import blocked_at
from backend.resources import Resources
from backend.storage.counters import count_up, store_counts, summed_counts
from backend.storage.models import Account, InboxEvent, StripeConnection, WorkerBeat
from backend.web.http.deps import ResourcesDep, check_admin
from backend.web.http.schemas import refusals
from backend.work_queue.clocks import clocks_apart

PATIENCE_SECONDS = 5.0
BEAT_IS_OLD_SECONDS = 30.0
INBOX_IS_OLD_SECONDS = 300.0
"""Far more than a burst of events takes, and soon enough for somebody to look before a client asks."""
TOLD_ONLY = ("kommo", "clocks")
"""Said, but no reason not to be ready."""

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok", "checks": {"process": "ok"}}


@router.get("/readyz", responses={503: {"description": "Not ready; `checks` says why.", "model": dict[str, Any]}})
async def readyz(request: Request, resources: ResourcesDep, response: Response) -> dict[str, Any]:
    """The database takes a write, some worker beats, no event is left lying. 503 while one of them is not so."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await count_up(resources.database, {("readyz", ()): 1.0})
            checks = {"database": "ok"} | await _checks(resources, request.app.state.started_at)
            checks["kommo"] = await _blocked(resources)
            checks["clocks"] = await clocks_apart(resources.database, resources.clock) or "ok"
    except Exception as error:  # whatever it is, an operator must see it here
        checks = {"database": f"unavailable: {type(error).__name__}"}
    if all(said == "ok" for name, said in checks.items() if name not in TOLD_ONLY):
        return {"status": "ok", "checks": checks}
    response.status_code = 503
    return {"status": "unavailable", "checks": checks}


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


@router.get("/metrics", response_class=PlainTextResponse, responses=refusals(401, 503))
async def prometheus(request: Request, resources: ResourcesDep) -> Response:
    """The same from every process: all of it is what the database knows. With the ADMIN_TOKEN: it names accounts."""
    await check_admin(request)
    await _measure(resources)
    await store_counts(resources.database)
    summed = metrics.Summed(await summed_counts(resources.database))
    page = generate_latest(metrics.GAUGES) + generate_latest(summed)
    return Response(page, media_type=CONTENT_TYPE_LATEST)


async def _measure(resources: Resources) -> None:
    """What is read from the database when somebody asks, rather than counted as it happens."""
    now = resources.clock()
    async with resources.database.read() as session:
        waiting = await session.exec(
            select(func.count(), func.min(InboxEvent.received_at))
            .join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id)
            .where(is_waiting())
        )
        blocked = await blocked_at(session)
        accounts = (
            await session.exec(select(Account).where(Account.token_issued_at > 0, Account.state != "uninstalled"))
        ).all()
    count, oldest = waiting.one()
    metrics.INBOX_PENDING.set(count)
    metrics.INBOX_OLDEST.set(now - oldest if oldest else 0)
    metrics.KOMMO_BLOCKED.set(now - blocked if blocked else 0)
    metrics.TOKEN_AGE.clear()
    for account in accounts:
        metrics.TOKEN_AGE.labels(account=str(account.id)).set(now - account.token_issued_at)
