"""Who is in the set-up pages: an admin of one Kommo account, let in from Kommo, or the operator of this server."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col

from backend.accounts.rights import WidgetUser
from backend.accounts.tokens import calling
from backend.db import dialect_insert
from backend.errors import KommoUnreachable, NotAllowed, NotAuthorized, NotConnected
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.models import SetupLink, WidgetSeen
from backend.resources import Resources
from backend.signing import BadState, opaque_id

LINK_SECONDS = 60.0
SEEN_AGAIN_SECONDS = 600.0
"""How often, at most, a widget's calls are noted."""


class LinkOver(NotAuthorized):
    """A way in that was used, is too old, or was never made."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """``account_id`` None is the operator, who sees every account."""

    account_id: int | None = None
    user_id: int = 0

    def may_see(self, account_id: int) -> bool:
        return self.account_id is None or self.account_id == account_id


async def make_link(resources: Resources, user: WidgetUser) -> str:
    """The address of a single-use link, for an admin; that one is, is asked of Kommo now and not remembered."""
    await _check_admin(resources, user)
    secret = opaque_id(resources.randomness)
    now = resources.clock()
    async with resources.database.write() as session:
        await session.exec(delete(SetupLink).where(col(SetupLink.expires_at) < now))
        session.add(
            SetupLink(
                digest=_digest(secret), account_id=user.account.id, user_id=user.user_id, expires_at=now + LINK_SECONDS
            )
        )
    return f"{resources.addresses.public_url}/admin/enter/{secret}"


async def _check_admin(resources: Resources, user: WidgetUser) -> None:
    otherwise = f"The operator of this server can enter at {resources.addresses.public_url}/admin."
    try:
        found = await calling(resources, user.account.id, lambda api: api.user(user.user_id))
    except KommoForbidden:
        found = None
    except (KommoError, NotConnected) as error:
        raise KommoUnreachable(f"Kommo could not be asked whether you are an administrator. {otherwise}") from error
    if found is None or not (found.is_admin and found.is_active):
        raise NotAllowed("Only an administrator of this Kommo account may open the set-up.")


async def enter(resources: Resources, secret: str) -> Visitor:
    """Uses the link up: of two who come at once, one deletes the row and is in; else ``LinkOver``."""
    async with resources.database.write() as session:
        used = delete(SetupLink).where(col(SetupLink.digest) == _digest(secret))
        held = used.returning(col(SetupLink.account_id), col(SetupLink.user_id), col(SetupLink.expires_at))
        row = (await session.exec(held)).one_or_none()
    account_id, user_id, expires_at = row or (0, 0, 0.0)
    if expires_at < resources.clock():
        raise LinkOver("This link was used or is older than a minute. Press Open set-up in Kommo again.")
    return Visitor(account_id, user_id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def signed(resources: Resources, visitor: Visitor) -> str:
    """The cookie's text."""
    return resources.visits.sign({"account": visitor.account_id, "user": visitor.user_id})


def visitor_of(resources: Resources, cookie: str) -> Visitor | None:
    """None where the cookie is not ours, was changed, or is over."""
    try:
        said = resources.visits.read(cookie)
    except BadState:
        return None
    return Visitor(said["account"], said["user"])


async def note_seen(resources: Resources, user: WidgetUser) -> None:
    """The widget called. Noted once in a while, not at each poll."""
    key, now = ("seen", user.account.id, user.user_id), resources.clock()
    known = resources.remembered.get(key)
    if known and known[0] > now:
        return
    resources.remembered[key] = (now + SEEN_AGAIN_SECONDS, True)
    said = {"user_id": user.user_id, "at": now}
    async with resources.database.write() as session:
        row = dialect_insert(session, WidgetSeen).values(account_id=user.account.id, **said)
        await session.exec(row.on_conflict_do_update(index_elements=["account_id"], set_=said))
