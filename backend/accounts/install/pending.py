"""Pending installations, sealed: codes, answers of Kommo's token endpoint, and long-lived tokens."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
import structlog
from sqlalchemy import ColumnElement, delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.install.room import make_room
from backend.accounts.integrations import Keys
from backend.core.errors import BadCallback
from backend.core.sentences.said import said
from backend.core.signing import opaque_id
from backend.core.vault import CannotOpen
from backend.resources import Resources
from backend.storage.models import PendingInstall

CODE_SECONDS = 20 * 60
"""How long Kommo accepts a code (docs/facts/kommo-api.md 1)."""
ANSWER_SECONDS = 24 * 3600
"""How long the access token in an answer is valid (docs/facts/kommo-api.md 2)."""
AGAIN_SECONDS = 5 * 60
"""Retry interval after a rejection that only a configuration change can fix."""
INSTALL_FILE = "install"
"""Prefix of the names of files in which answers wait for the database."""
FOR_GOOD = "for good"
HOOK, STATE, OPERATOR, SETTINGS = "hook", "state", "operator", "settings"
"""Origins: sent by anybody; with a state of ours; begun, entered or confirmed by the operator; from the environment."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenInstall:
    """A row of ``PendingInstall`` with its secret decrypted."""

    id: str
    kind: str
    client_id: str
    secret: str = field(repr=False)
    base_url: str
    received_at: float
    origin: str = HOOK
    problem: str = ""
    refused_keys: str = ""
    refused_at: float = 0.0
    account_id: int | None = None
    subdomain: str = ""

    @property
    def is_confirmed(self) -> bool:
        """True if the operator or the environment vouches for it."""
        return self.origin in (OPERATOR, SETTINGS)

    @property
    def awaits_yes(self) -> bool:
        """True if Kommo has named an account that the operator has not confirmed yet."""
        return self.account_id is not None and not self.is_confirmed

    def is_over(self, now: float) -> bool:
        """True if the code or answer has expired at Kommo; a long-lived token never does here. ``now`` in Unix
        seconds."""
        life = {"code": CODE_SECONDS, "answer": ANSWER_SECONDS}.get(self.kind)
        return life is not None and now - self.received_at > life

    def is_due(self, keys: Keys, now: float) -> bool:
        """True at ``now`` (epoch seconds) if the code may be tried with these keys: at once with other keys than those
        refused, otherwise after a pause of ``AGAIN_SECONDS``.
        """
        return self.refused_keys != _digest(keys) or now - self.refused_at >= AGAIN_SECONDS

    def rests(self, now: float) -> bool:
        """True if no retry is due at ``now`` (epoch seconds).

        A refused token waits for the next start, where the settings may have another.
        """
        told_lately = bool(self.problem) and now - self.refused_at < AGAIN_SECONDS
        return self.awaits_yes or self.refused_keys == FOR_GOOD or told_lately


def _digest(keys: Keys) -> str:
    return hashlib.sha256(f"{keys.secret}\n{keys.redirect_uri}".encode()).hexdigest()


def sealed_for(row_id: str) -> str:
    """The row name for which a pending secret is sealed."""
    return f"pending_code:{row_id}:code"


async def keep_code(resources: Resources, client_id: str, base_url: str, code: str, *, origin: str = HOOK) -> None:
    """Store a code next to the earlier ones, as far as there is room. A known code changes nothing.

    Raises ``BadCallback`` for a client id or code that is too long for one of Kommo's.
    """
    if len(client_id) > 100 or len(code) > 4000:
        raise BadCallback(said("not_a_code"))
    known = await waiting_codes(resources, client_id, base_url)
    if not any(one.secret == code for one in known):
        await keep(resources, _made(resources, "code", client_id, base_url, code, origin))


async def keep_answer(
    resources: Resources, client_id: str, base_url: str, raw: bytes, *, origin: str = HOOK
) -> OpenInstall:
    """Store Kommo's raw answer and return it as a pending installation.

    While the database is unreachable this is retried; if the process ends meanwhile, the answer stays in a file.
    """
    answer = _made(resources, "answer", client_id, base_url, raw.decode("utf-8", "replace"), origin)
    name = f"{INSTALL_FILE}-{answer.id.rpartition('/')[2]}"
    await resources.files.keep(name, orjson.dumps(asdict(answer)), lambda: keep(resources, answer))
    return answer


async def keep_again(resources: Resources, kept: bytes) -> None:
    """Store an answer that an earlier process left in a file by ``keep_answer``, unless it has expired."""
    answer = OpenInstall(**orjson.loads(kept))
    if not answer.is_over(resources.clock()):
        await keep(resources, answer)


def _made(resources: Resources, kind: str, client_id: str, base_url: str, secret: str, origin: str) -> OpenInstall:
    row_id = f"{client_id}/{opaque_id(resources.randomness)}"
    return OpenInstall(row_id, kind, client_id, secret, base_url, resources.clock(), origin)


async def keep(resources: Resources, one: OpenInstall) -> None:
    """Insert or replace the row, sealed. Room for a code is made first."""
    async with resources.database.write() as session:
        if one.kind == "code":
            await make_room(session, one.client_id, one.base_url, has_state=one.origin != HOOK)
        await session.merge(_closed(resources, one))


def _closed(resources: Resources, one: OpenInstall) -> PendingInstall:
    columns = {name: getattr(one, name) for name in PendingInstall.model_fields if name != "secret"}
    return PendingInstall(**columns, secret=resources.vault.seal_text(one.secret, sealed_for(one.id)))


async def note_refusal(resources: Resources, one: OpenInstall, problem: str, keys: Keys | str) -> None:
    """Record why it was refused and by which keys (or ``FOR_GOOD``); it still waits if the row exists."""
    refused = keys if isinstance(keys, str) else _digest(keys)
    await _noted(resources, one, {"problem": problem, "refused_keys": refused, "refused_at": resources.clock()})


async def note_account(resources: Resources, one: OpenInstall, account_id: int, subdomain: str) -> None:
    """Record the account of an answer, which then waits for the operator's confirmation."""
    await _noted(resources, one, {"account_id": account_id, "subdomain": subdomain})


async def _noted(resources: Resources, one: OpenInstall, values: Mapping[str, Any]) -> None:
    async with resources.database.write() as session:
        await session.exec(update(PendingInstall).where(*_the_very(one)).values(**values))


async def waiting_codes(resources: Resources, client_id: str = "", base_url: str = "") -> list[OpenInstall]:
    """The valid pending codes, newest first, of this integration and host or ('') of all. Changes nothing."""
    chosen = [col(PendingInstall.kind) == "code"]
    chosen += [col(PendingInstall.client_id) == client_id] if client_id else []
    chosen += [col(PendingInstall.base_url) == base_url] if base_url else []
    return [one for one in await _found(resources, *chosen) if not one.is_over(resources.clock())]


async def waiting_answers(resources: Resources, client_id: str = "") -> list[OpenInstall]:
    """The valid answers for accounts that needed the operator's confirmation, of this integration or ('') of all."""
    named = [col(PendingInstall.client_id) == client_id] if client_id else []
    found = await _found(resources, col(PendingInstall.account_id).is_not(None), *named)
    return [one for one in found if not one.is_over(resources.clock())]


async def refused_tokens(resources: Resources) -> list[OpenInstall]:
    """The settings' long-lived tokens that connect no account, with their problem."""
    return await _found(resources, col(PendingInstall.kind) == "token", col(PendingInstall.problem) != "")


async def _found(resources: Resources, *chosen: ColumnElement[bool]) -> list[OpenInstall]:
    newest_first = (col(PendingInstall.received_at).desc(), col(PendingInstall.id))
    async with resources.database.read() as session:
        rows = (await session.exec(select(PendingInstall).where(*chosen).order_by(*newest_first))).all()
    return [one for one in (_opened(resources, row) for row in rows) if one is not None]


async def forget_tokens(resources: Resources) -> None:
    """Delete all pending long-lived tokens; the settings bring them again at each start."""
    async with resources.database.write() as session:
        await session.exec(delete(PendingInstall).where(col(PendingInstall.kind) == "token"))


async def all_waiting(resources: Resources) -> list[OpenInstall]:
    """All pending rows, deleting expired ones. Rows that cannot be decrypted are skipped and kept: the key may
    return."""
    async with resources.database.read() as session:
        rows = (await session.exec(select(PendingInstall))).all()
    now = resources.clock()
    for row in rows:
        if _unsealed(row, "").is_over(now):
            await forget(resources, _unsealed(row, ""))
    opened = [_opened(resources, row) for row in rows]
    return [one for one in opened if one is not None and not one.is_over(now)]


def _opened(resources: Resources, row: PendingInstall) -> OpenInstall | None:
    if not row.kind:
        return None
    try:
        return _unsealed(row, resources.vault.open_text(row.secret, sealed_for(row.id)))
    except CannotOpen as error:
        log.warning("pending row decrypt failed", reason=str(error))
        return None


def _unsealed(row: PendingInstall, secret: str) -> OpenInstall:
    """The row with this secret. A row of unknown kind expires like an answer, the longest-lived kind."""
    one = OpenInstall(**(row.model_dump() | {"secret": secret}))
    return one if one.kind else replace(one, kind="answer")


async def forget(resources: Resources, one: OpenInstall) -> None:
    """Delete the row in a unit of work of its own, unless a newer one replaced it."""
    async with resources.database.write() as session:
        await forget_in(session, one)


async def forget_in(session: AsyncSession, one: OpenInstall) -> bool:
    """Delete the row within a unit of work, unless a newer one replaced it; False if there was none to delete."""
    result = await session.exec(delete(PendingInstall).where(*_the_very(one)))
    return bool(result.rowcount)


def _the_very(one: OpenInstall) -> Sequence[ColumnElement[bool]]:
    return col(PendingInstall.id) == one.id, col(PendingInstall.received_at) == one.received_at
