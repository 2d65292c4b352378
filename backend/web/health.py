"""For operators: is it alive, can it work, and what does it count."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, update
from sqlmodel import col, select

from backend import metrics
from backend.inbox import WAITING
from backend.models import Account, AccountWork, InboxEvent, StripeConnection
from backend.resources import Resources
from backend.web.deps import ResourcesDep

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok", "checks": {"process": "ok"}}


@router.get("/readyz")
async def readyz(resources: ResourcesDep, response: Response) -> dict[str, Any]:
    """The database takes a write. 503 while it does not."""
    try:
        async with resources.database.write() as session:
            await session.exec(update(AccountWork).where(col(AccountWork.account_id) == 0).values(owner=""))
        checks = {"database": "ok"}
    except Exception as error:  # whatever it is, an operator must see it here
        response.status_code = 503
        checks = {"database": f"unavailable: {type(error).__name__}"}
    return {"status": "ok" if response.status_code != 503 else "unavailable", "checks": checks}


@router.get("/metrics")
async def prometheus(resources: ResourcesDep) -> Response:
    await _measure(resources)
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _measure(resources: Resources) -> None:
    """What is read from the database when somebody asks, rather than counted as it happens."""
    now = resources.clock()
    async with resources.database.read() as session:
        waiting = await session.exec(
            select(func.count(), func.min(InboxEvent.received_at))
            .join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id)
            .where(col(InboxEvent.state).in_(WAITING))
        )
        accounts = (await session.exec(select(Account).where(Account.token_issued_at > 0))).all()
    count, oldest = waiting.one()
    metrics.INBOX_PENDING.set(count)
    metrics.INBOX_OLDEST.set(now - oldest if oldest else 0)
    for account in accounts:
        metrics.TOKEN_AGE.labels(account=str(account.id)).set(now - account.token_issued_at)
