"""Routes for monitoring: liveness, readiness and metrics."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func
from sqlmodel import col, select

from backend.core import metrics
from backend.inbox.store import is_waiting
from backend.rate_limit.store import blocked_at
from backend.resources import Resources
from backend.storage.counters import store_counts, summed_counts
from backend.storage.models import Account, InboxEvent, StripeConnection
from backend.web.http.deps import ResourcesDep, check_admin
from backend.web.http.schemas import refusals
from backend.web.readiness import is_ready

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, Any]:
    """Return 200 with ``{"status": "ok", "checks"}`` while the process answers requests; it reads nothing else."""
    return {"status": "ok", "checks": {"process": "ok"}}


@router.get("/readyz", responses={503: {"description": "Not ready; `checks` says why.", "model": dict[str, Any]}})
async def readyz(request: Request, response: Response) -> dict[str, Any]:
    """Return 200 if the database takes a write, a worker is polling and no event is overdue; else 503.

    Keys: ``status`` (``ok`` or ``unavailable``) and ``checks``: each check's name and ``ok``, or a sentence with the
    problem.
    """
    checks: dict[str, str] = await request.app.state.readiness.checks()
    if is_ready(checks):
        return {"status": "ok", "checks": checks}
    response.status_code = 503
    return {"status": "unavailable", "checks": checks}


@router.get("/metrics", response_class=PlainTextResponse, responses=refusals(401, 503))
async def prometheus(request: Request, resources: ResourcesDep) -> Response:
    """Return the metrics in Prometheus' text format, equal from every process because all of them are in the database.

    Requires the ADMIN_TOKEN, since the labels name accounts. Raises ``NotAuthorized``.
    """
    await check_admin(request)
    await _measure(resources)
    await store_counts(resources.database)
    summed = metrics.Summed(await summed_counts(resources.database))
    page = generate_latest(metrics.GAUGES) + generate_latest(summed)
    return Response(page, media_type=CONTENT_TYPE_LATEST)


async def _measure(resources: Resources) -> None:
    """Set the gauges that are read from the database on each scrape instead of counted as things happen."""
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
