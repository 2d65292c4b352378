"""What waits at the door, sealed: a code for its integration's secret, an answer or a long-lived token to be adopted.

Each has a row of its own, and none takes another's place; only of too many codes of one integration the newest does.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import structlog
from sqlalchemy import ColumnElement, delete, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.integrations import Keys
from backend.core.errors import BadCallback
from backend.core.signing import opaque_id
from backend.core.vault import CannotOpen
from backend.resources import Resources
from backend.storage.models import PendingCode

CODE_SECONDS = 20 * 60
"""Kommo's own life of a code."""
ANSWER_SECONDS = 24 * 3600
"""Kommo's own life of the access token in an answer."""
MOST_CODES = 500
"""Anybody may bring a code for an integration that we don't know; only so many are kept."""
MOST_OF_ONE = 4
"""Codes of one integration: anybody may bring some before or after the one that counts. All are tried."""
AGAIN_SECONDS = 5 * 60
"""After a no of Kommo's that only other settings, here or in Kommo, can turn into a yes."""
FOR_GOOD = "for good"
TOKENS = "/"
"""What the names of tokens' rows begin with; no other's does, but that of a code of nobody's integration."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PendingInstall:
    """``kind``: code, answer (the raw body of Kommo's token endpoint) or token (a long-lived one).

    ``problem``: Kommo's last no, in our words; given at ``refused_at`` to the keys that ``refused`` is the digest of,
    or ``FOR_GOOD`` to a token.
    """

    row: str
    kind: str
    client_id: str
    secret: str = field(repr=False)
    base_url: str
    received_at: float
    problem: str = ""
    refused: str = ""
    refused_at: float = 0.0

    def is_over(self, now: float) -> bool:
        life = {"code": CODE_SECONDS, "answer": ANSWER_SECONDS}.get(self.kind)
        return life is not None and now - self.received_at > life

    def is_due(self, keys: Keys, now: float) -> bool:
        """Other keys are tried at once."""
        return self.refused != _digest(keys) or now - self.refused_at >= AGAIN_SECONDS

    def rests(self, now: float) -> bool:
        """A token that Kommo refused waits for the next start, where the settings may name another."""
        return self.refused == FOR_GOOD or (bool(self.problem) and now - self.refused_at < AGAIN_SECONDS)


def _digest(keys: Keys) -> str:
    return hashlib.sha256(f"{keys.secret}\n{keys.redirect_uri}".encode()).hexdigest()


def sealed_for(row: str) -> str:
    return f"pending_code:{row}:code"


async def keep_code(resources: Resources, client_id: str, base_url: str, code: str) -> None:
    """Beside the earlier ones of this integration; in place of the newest where there are many."""
    if len(client_id) > 100 or len(code) > 4000:
        raise BadCallback("This is no code of Kommo's. Install the integration again.")
    known = await waiting_codes(resources, client_id)
    if any(one.secret == code for one in known):
        return
    if len(known) >= MOST_OF_ONE:
        await forget(resources, known[0])
    else:
        await _check_room(resources)
    row = f"{client_id}/{opaque_id(resources.randomness)}"
    await keep(resources, PendingInstall(row, "code", client_id, code, base_url, resources.clock()))


async def _check_room(resources: Resources) -> None:
    async with resources.database.read() as session:
        fresh = col(PendingCode.received_at) > resources.clock() - CODE_SECONDS
        pending = await session.exec(select(func.count()).select_from(PendingCode).where(fresh))
    if pending.one() >= MOST_CODES:
        raise BadCallback("Too many codes wait for a secret key here. Add the key first, then install again.")


async def keep_answer(resources: Resources, client_id: str, base_url: str, raw: bytes) -> PendingInstall:
    row = f"{client_id}/{opaque_id(resources.randomness)}"
    answer = PendingInstall(row, "answer", client_id, raw.decode("utf-8", "replace"), base_url, resources.clock())
    await keep(resources, answer)
    return answer


async def keep(resources: Resources, pending: PendingInstall) -> None:
    async with resources.database.write() as session:
        row = await session.get(PendingCode, pending.row) or PendingCode(
            client_id=pending.row, code="", base_url="", received_at=0.0
        )
        row.code = _sealed(resources, pending)
        row.base_url, row.received_at = pending.base_url, pending.received_at
        session.add(row)


def _sealed(resources: Resources, pending: PendingInstall) -> str:
    said: dict[str, Any] = {"kind": pending.kind, "client_id": pending.client_id, "secret": pending.secret}
    if pending.problem:
        said |= {"problem": pending.problem, "refused": pending.refused, "refused_at": pending.refused_at}
    return resources.vault.seal_text(orjson.dumps(said).decode(), sealed_for(pending.row))


async def note_refusal(resources: Resources, pending: PendingInstall, problem: str, keys: Keys | str) -> None:
    """It goes on waiting, if it is still there, and whoever looks after it is told why."""
    refused = keys if isinstance(keys, str) else _digest(keys)
    told = replace(pending, problem=problem, refused=refused, refused_at=resources.clock())
    async with resources.database.write() as session:
        await session.exec(update(PendingCode).where(*_the_very(pending)).values(code=_sealed(resources, told)))


async def waiting_codes(resources: Resources, client_id: str = "") -> list[PendingInstall]:
    """The codes that are still good, of this integration or of all, newest first. Nothing is changed."""
    chosen = select(PendingCode).order_by(col(PendingCode.received_at).desc(), col(PendingCode.client_id))
    if client_id:
        chosen = chosen.where(col(PendingCode.client_id).startswith(f"{client_id}/", autoescape=True))
    async with resources.database.read() as session:
        rows = (await session.exec(chosen)).all()
    found = [one for one in (_readable(resources, row) for row in rows) if one and one.kind == "code"]
    return [one for one in found if client_id in ("", one.client_id) and not one.is_over(resources.clock())]


async def refused_tokens(resources: Resources) -> list[PendingInstall]:
    """Long-lived tokens of the settings that connect nothing, and why."""
    async with resources.database.read() as session:
        rows = (await session.exec(select(PendingCode).where(_is_token()))).all()
    found = [_readable(resources, row) for row in rows]
    return [one for one in found if one and one.kind == "token" and one.problem]


async def forget_tokens(resources: Resources) -> None:
    """The settings say anew what they are."""
    async with resources.database.write() as session:
        await session.exec(delete(PendingCode).where(_is_token()))


def _is_token() -> ColumnElement[bool]:
    return col(PendingCode.client_id).startswith(TOKENS)


async def all_waiting(resources: Resources) -> list[PendingInstall]:
    """What is over is forgotten. What no key opens holds up nothing else, and may be opened yet: its key comes back."""
    async with resources.database.read() as session:
        rows = (await session.exec(select(PendingCode))).all()
    pending = [_readable(resources, row) or _closed(row) for row in rows]
    for one in pending:
        if one.is_over(resources.clock()):
            await forget(resources, one)
    return [one for one in pending if one.secret and not one.is_over(resources.clock())]


def _readable(resources: Resources, row: PendingCode) -> PendingInstall | None:
    try:
        return _opened(resources, row)
    except CannotOpen as error:
        log.warning("what waits does not open", reason=str(error))
        return None


def _closed(row: PendingCode) -> PendingInstall:
    """Whatever it is, it is over with the last of its kind."""
    return PendingInstall(row.client_id, "answer", "", "", row.base_url, row.received_at)


def _opened(resources: Resources, row: PendingCode) -> PendingInstall:
    said: dict[str, Any] = orjson.loads(resources.vault.open_text(row.code, sealed_for(row.client_id)))
    return PendingInstall(row.client_id, **said, base_url=row.base_url, received_at=row.received_at)


async def forget(resources: Resources, pending: PendingInstall) -> None:
    async with resources.database.write() as session:
        await forget_in(session, pending)


async def forget_in(session: AsyncSession, pending: PendingInstall) -> bool:
    """Within a unit of work. Only the very thing that was read: a newer one in its place stays. False: it was gone."""
    result = await session.exec(delete(PendingCode).where(*_the_very(pending)))
    return bool(result.rowcount)


def _the_very(pending: PendingInstall) -> Sequence[ColumnElement[bool]]:
    return col(PendingCode.client_id) == pending.row, col(PendingCode.received_at) == pending.received_at
