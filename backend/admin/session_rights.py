"""A session's role is confirmed by Kommo again and again.

Before every change Kommo is asked at once; for reading, its answer may be a minute old. While Kommo does not answer,
nothing is shown and nothing is changed.
"""

from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlmodel import col

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.admin.sign_ins import note_failure
from backend.core.errors import KommoUnreachable, NotAllowed, NotConnected
from backend.core.sentences.said import said
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.kommo_api.values import User
from backend.resources import Resources
from backend.storage.models import Account, SetupSession

READING_SECONDS = 60.0
IDLE_SECONDS = 1800.0
ADMINISTRATOR, FINANCE = "administrator", "finance"


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's role in the app and their language in Kommo, '' if Kommo does not tell it."""

    role: str
    language: str


async def check_standing(resources: Resources, account_id: int, user_id: int) -> Standing:
    """Return the role that Kommo and the account's options give the user now, uncached.

    Raises ``NotAllowed`` without a role, ``NotConnected`` without access to Kommo, ``KommoUnreachable`` without an
    answer.
    """
    door = f"{resources.addresses.public_url}/admin"
    try:
        found = await with_kommo(resources, account_id, lambda api: api.user(user_id))
    except KommoForbidden as error:
        raise NotConnected(said("connector_is_no_administrator", address=door)) from error
    except NotConnected as error:
        raise NotConnected(said("kommo_gone", address=door)) from error
    except KommoError as error:
        raise KommoUnreachable(said("kommo_silent_about_you", address=door)) from error
    role = await _role_of(resources, account_id, found) if found and found.is_active else ""
    if found is None or not role:
        raise NotAllowed(said("only_administrator_enters"))
    return Standing(role, found.lang)


async def _role_of(resources: Resources, account_id: int, user: User) -> str:
    if user.is_admin:
        return ADMINISTRATOR
    async with resources.database.read() as session:
        account = await session.get(Account, account_id)
    return FINANCE if account and user.id in options_of(account).finance else ""


async def renew(resources: Resources, row: SetupSession, *, changing: bool) -> None:
    """Confirm the role of a Kommo user's session and note its use; a lost role ends all sessions of the user."""
    now = resources.clock()
    is_users = row.account_id is not None
    if is_users and (changing or row.checked_at + READING_SECONDS < now):
        standing = await _confirm(resources, row)
        row.checked_at, row.role, row.language = now, standing.role, standing.language
    elif row.seen_at + READING_SECONDS > now:
        return
    async with resources.database.write() as session:
        mine = update(SetupSession).where(col(SetupSession.digest) == row.digest)
        await session.exec(mine.values(seen_at=now, checked_at=row.checked_at, role=row.role, language=row.language))


async def _confirm(resources: Resources, row: SetupSession) -> Standing:
    try:
        return await check_standing(resources, row.account_id or 0, row.user_id)
    except NotAllowed:
        theirs = (col(SetupSession.account_id) == row.account_id, col(SetupSession.user_id) == row.user_id)
        async with resources.database.write() as session:
            await session.exec(delete(SetupSession).where(*theirs))
        who = f"Kommo user {row.user_id}"
        await note_failure(resources, "session", "", account_id=row.account_id, who=who)
        raise
