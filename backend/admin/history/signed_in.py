"""Sessions of an account's users in the app."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col, select

from backend.admin.session_rights import IDLE_SECONDS
from backend.admin.sessions import VISIT_SECONDS
from backend.core.errors import Conflict
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import Audit, SetupSession

KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session. ``key`` names it in a form; the cookie can't be derived from it."""

    key: str
    user_id: int
    role: str
    since: float
    seen_at: float


async def signed_in(resources: Resources, account_id: int) -> Sequence[SignedIn]:
    """Return the running sessions of the account's users, last used first."""
    now = resources.clock()
    going_on = (
        SetupSession.account_id == account_id,
        col(SetupSession.ends_at) > now,
        col(SetupSession.seen_at) > now - IDLE_SECONDS,
    )
    async with resources.database.read() as session:
        found = await session.exec(select(SetupSession).where(*going_on).order_by(col(SetupSession.seen_at).desc()))
        return [
            SignedIn(one.digest[:KEY_LENGTH], one.user_id, one.role, one.ends_at - VISIT_SECONDS, one.seen_at)
            for one in found.all()
        ]


async def end_session(resources: Resources, account_id: int, key: str, *, who: str) -> None:
    """End one session of this account. ``key``: the first ``KEY_LENGTH`` characters of its digest.

    Raises ``Conflict`` if there is no such session.
    """
    if len(key) != KEY_LENGTH or not key.isalnum() or not key.isascii():
        raise Conflict(said("session_gone"))
    this = (col(SetupSession.account_id) == account_id, col(SetupSession.digest).startswith(key, autoescape=True))
    async with resources.database.write() as session:
        ended = (await session.exec(delete(SetupSession).where(*this).returning(col(SetupSession.user_id)))).all()
        if not ended:
            raise Conflict(said("session_over"))
        after = {"user": int(ended[0][0])}
        entry = Audit(at=resources.clock(), account_id=account_id, who=who, what="session ended", after=after)
        session.add(entry)
