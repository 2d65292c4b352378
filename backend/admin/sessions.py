"""Sessions of the admin's app: a user of one Kommo account, let in from Kommo, or the operator of this server."""

import hashlib
import hmac
from dataclasses import dataclass, replace

from sqlalchemy import delete
from sqlmodel import col

from backend.accounts.permissions import WidgetUser
from backend.admin.session_rights import ADMINISTRATOR, FINANCE, IDLE_SECONDS, check_standing, renew
from backend.core.cache import CacheSpec
from backend.core.errors import NotAllowed, NotAuthorized
from backend.core.sentences.said import said
from backend.core.signing import opaque_id
from backend.resources import Resources
from backend.storage.db import dialect_insert
from backend.storage.models import Account, Audit, SetupLink, SetupSession, WidgetSeen

LINK_SECONDS = 60.0
VISIT_SECONDS = 8 * 3600
"""A working day: how long a visitor stays signed in."""
OVER = said("link_over")
USERS_NOTED = CacheSpec[tuple[int, int], bool](600.0, most=10_000)
"""By account and user: a widget's calls are recorded at most this often."""


class LinkOver(NotAuthorized):
    """The sign-in link was used, is too old, or never existed."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in.

    ``account_id`` None is the operator, who sees every account; ``user_id`` and ``language`` are Kommo's.
    """

    account_id: int | None = None
    user_id: int = 0
    role: str = ADMINISTRATOR
    language: str = ""

    def may_see(self, account_id: int) -> bool:
        """Return whether the visitor may see this account."""
        return self.account_id is None or self.account_id == account_id

    def check(self, account_id: int) -> None:
        """Raise ``NotAllowed`` for an account that the visitor may not see."""
        if not self.may_see(account_id):
            raise NotAllowed(said("other_kommo_account"))

    @property
    def is_operator(self) -> bool:
        """Whether the visitor is the operator of this server."""
        return self.account_id is None

    @property
    def may_change(self) -> bool:
        """Whether the visitor may change settings: the operator and administrators, not finance."""
        return self.is_operator or self.role == ADMINISTRATOR

    @property
    def who(self) -> str:
        """The visitor's name in the audit."""
        return "admin token" if self.account_id is None else f"Kommo user {self.user_id}"


async def make_link(resources: Resources, user: WidgetUser) -> str:
    """Return the URL of a single-use link for an administrator or a user of finance, whose role Kommo confirms now.

    Raises as ``check_standing`` does.
    """
    standing = await check_standing(resources, user.account.id, user.user_id)
    secret = opaque_id(resources.randomness)
    now = resources.clock()
    async with resources.database.write() as session:
        await session.exec(delete(SetupLink).where(col(SetupLink.expires_at) < now))
        session.add(
            SetupLink(
                digest=_digest(secret),
                account_id=user.account.id,
                user_id=user.user_id,
                role=standing.role,
                language=standing.language,
                expires_at=now + LINK_SECONDS,
            )
        )
    return f"{resources.addresses.public_url}/admin/enter/{secret}"


async def link_of(resources: Resources, secret: str) -> tuple[Account, Visitor]:
    """Return the link's account and visitor without using it up. Raises ``LinkOver`` if it is unknown or old."""
    async with resources.database.read() as session:
        row = await session.get(SetupLink, _digest(secret))
        account = await session.get(Account, row.account_id) if row else None
    if row is None or account is None or row.expires_at < resources.clock():
        raise LinkOver(OVER)
    return account, Visitor(row.account_id, row.user_id, row.role, row.language)


async def enter(resources: Resources, secret: str) -> Visitor:
    """Use the link up and return its visitor; of two simultaneous calls only one deletes the row.

    Raises ``LinkOver``.
    """
    async with resources.database.write() as session:
        used = delete(SetupLink).where(col(SetupLink.digest) == _digest(secret))
        held = used.returning(
            col(SetupLink.expires_at), col(SetupLink.account_id), col(SetupLink.user_id), col(SetupLink.role),
            col(SetupLink.language),
        )  # fmt: skip
        row = (await session.exec(held)).one_or_none()
    if row is None or row[0] < resources.clock():
        raise LinkOver(OVER)
    return Visitor(*row[1:])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


async def begin(resources: Resources, visitor: Visitor, admin_token: str) -> str:
    """Store a session and return the cookie's value.

    The operator's session is valid while the ADMIN_TOKEN is the same.
    """
    secret, now = opaque_id(resources.randomness), resources.clock()
    async with resources.database.write() as session:
        await session.exec(delete(SetupSession).where(col(SetupSession.ends_at) < now))
        session.add(
            SetupSession(
                digest=_digest(secret),
                account_id=visitor.account_id,
                user_id=visitor.user_id,
                role=visitor.role,
                language=visitor.language,
                token_digest=_token_digest(visitor, secret, admin_token),
                ends_at=now + VISIT_SECONDS,
                seen_at=now,
            )
        )
    return secret


async def visitor_of(
    resources: Resources, cookie: str, admin_token: str, *, changing: bool, finance: bool = False
) -> Visitor | None:
    """Return who is signed in by this cookie; None if it is not ours or its session ended.

    Raises ``NotAllowed`` for a user who lost the role, and for a user of finance unless ``finance`` allows them;
    ``KommoUnreachable`` if Kommo can't be asked.
    """
    row = await _session_row(resources, cookie) if cookie else None
    if row is None:
        return None
    visitor = Visitor(row.account_id, row.user_id)
    if not hmac.compare_digest(row.token_digest, _token_digest(visitor, cookie, admin_token)):
        return None
    await renew(resources, row, changing=changing)
    if row.role == FINANCE and row.account_id is not None and not (finance and not changing):
        raise NotAllowed(said("finance_sees_less"))
    return replace(visitor, role=row.role, language=row.language)


async def _session_row(resources: Resources, cookie: str) -> SetupSession | None:
    now = resources.clock()
    async with resources.database.read() as session:
        row = await session.get(SetupSession, _digest(cookie))
        if row is None or row.ends_at < now or row.seen_at + IDLE_SECONDS < now:
            return None
        account = await session.get(Account, row.account_id) if row.account_id is not None else None
    return row if row.account_id is None or (account and account.state == "connected") else None


def _token_digest(visitor: Visitor, secret: str, admin_token: str) -> str:
    """Keyed by the cookie's secret, which is not stored: a copy of the database can't be used to test an
    ADMIN_TOKEN.
    """
    if visitor.account_id is not None:
        return ""
    return hmac.new(secret.encode(), admin_token.encode(), hashlib.sha256).hexdigest()


async def end(resources: Resources, cookie: str) -> None:
    """End the session of this cookie."""
    async with resources.database.write() as session:
        await session.exec(delete(SetupSession).where(col(SetupSession.digest) == _digest(cookie)))


async def end_all(resources: Resources, visitor: Visitor) -> None:
    """End all sessions of the visitor's account; for the operator, those of every account."""
    ours = delete(SetupSession)
    if visitor.account_id is not None:
        ours = ours.where(col(SetupSession.account_id) == visitor.account_id)
    async with resources.database.write() as session:
        await session.exec(ours)
        entry = Audit(at=resources.clock(), account_id=visitor.account_id, who=visitor.who, what="all signed out")
        session.add(entry)


async def note_seen(resources: Resources, user: WidgetUser) -> None:
    """Record that the widget called, at most once in ten minutes per user."""
    noted, key = resources.caches[USERS_NOTED], (user.account.id, user.user_id)
    if key in noted:
        return
    noted.put(key, True)
    entry = {"user_id": user.user_id, "at": resources.clock()}
    async with resources.database.write() as session:
        row = dialect_insert(session, WidgetSeen).values(account_id=user.account.id, **entry)
        await session.exec(row.on_conflict_do_update(index_elements=["account_id"], set_=entry))
