"""What waits at the door, sealed: a code for its integration's secret, an answer or a long-lived token to be adopted.

A code's row is named by its integration. Answers have names of their own: one never takes another's place.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from sqlalchemy import delete
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.errors import BadCallback
from backend.models import PendingCode
from backend.resources import Resources
from backend.signing import opaque_id
from backend.vault import CannotOpen

CODE_SECONDS = 20 * 60
"""Kommo's own life of a code."""
ANSWER_SECONDS = 24 * 3600
"""Kommo's own life of the access token in an answer."""
MOST_CODES = 500
"""Anybody may bring a code for an integration that we don't know; only so many are kept."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """``kind``: code, answer (the raw body of Kommo's token endpoint) or token (a long-lived one)."""

    row: str
    kind: str
    client_id: str
    secret: str = field(repr=False)
    base_url: str
    received_at: float

    def is_over(self, now: float) -> bool:
        life = {"code": CODE_SECONDS, "answer": ANSWER_SECONDS}.get(self.kind)
        return life is not None and now - self.received_at > life


def sealed_for(row: str) -> str:
    return f"pending_code:{row}:code"


async def keep_code(resources: Resources, client_id: str, base_url: str, code: str) -> None:
    if len(client_id) > 100 or len(code) > 4000:
        raise BadCallback("This is no code of Kommo's. Install the integration again.")
    async with resources.database.write() as session:
        fresh = col(PendingCode.received_at) > resources.clock() - CODE_SECONDS
        waiting = await session.exec(select(func.count()).select_from(PendingCode).where(fresh))
        if waiting.one() >= MOST_CODES:
            raise BadCallback("Too many codes wait for a secret key here. Add the key first, then install again.")
    await keep(resources, Waiting(client_id, "code", client_id, code, base_url, resources.clock()))


async def keep_answer(resources: Resources, client_id: str, base_url: str, raw: bytes) -> Waiting:
    row = f"{client_id}/{opaque_id(resources.randomness)}"
    answer = Waiting(row, "answer", client_id, raw.decode("utf-8", "replace"), base_url, resources.clock())
    await keep(resources, answer)
    return answer


async def keep(resources: Resources, waiting: Waiting) -> None:
    said = {"kind": waiting.kind, "client_id": waiting.client_id, "secret": waiting.secret}
    async with resources.database.write() as session:
        row = await session.get(PendingCode, waiting.row) or PendingCode(
            client_id=waiting.row, code="", base_url="", received_at=0.0
        )
        row.code = resources.vault.seal_text(orjson.dumps(said).decode(), sealed_for(waiting.row))
        row.base_url, row.received_at = waiting.base_url, waiting.received_at
        session.add(row)


async def waiting_code(resources: Resources, client_id: str) -> Waiting | None:
    """The code that waits for this integration's secret, if it is still good."""
    async with resources.database.read() as session:
        row = await session.get(PendingCode, client_id)
    waiting = _readable(resources, row) if row else None
    return None if waiting is None or waiting.is_over(resources.clock()) else waiting


async def all_waiting(resources: Resources) -> list[Waiting]:
    """What is over is forgotten. What no key opens holds up nothing else, and may be opened yet: its key comes back."""
    async with resources.database.read() as session:
        rows = (await session.exec(select(PendingCode))).all()
    waiting = [_readable(resources, row) or _closed(row) for row in rows]
    for one in waiting:
        if one.is_over(resources.clock()):
            await forget(resources, one)
    return [one for one in waiting if one.secret and not one.is_over(resources.clock())]


def _readable(resources: Resources, row: PendingCode) -> Waiting | None:
    try:
        return _opened(resources, row)
    except CannotOpen as error:
        log.warning("what waits does not open", reason=str(error))
        return None


def _closed(row: PendingCode) -> Waiting:
    """Whatever it is, it is over with the last of its kind."""
    return Waiting(row.client_id, "answer", "", "", row.base_url, row.received_at)


def _opened(resources: Resources, row: PendingCode) -> Waiting:
    said: dict[str, Any] = orjson.loads(resources.vault.open_text(row.code, sealed_for(row.client_id)))
    return Waiting(row.client_id, said["kind"], said["client_id"], said["secret"], row.base_url, row.received_at)


async def forget(resources: Resources, waiting: Waiting) -> None:
    async with resources.database.write() as session:
        await forget_in(session, waiting)


async def forget_in(session: AsyncSession, waiting: Waiting) -> bool:
    """Within a unit of work. Only the very thing that was read: a newer code in its place stays. False: it was gone."""
    result = await session.exec(
        delete(PendingCode).where(
            col(PendingCode.client_id) == waiting.row, col(PendingCode.received_at) == waiting.received_at
        )
    )
    return bool(result.rowcount)
