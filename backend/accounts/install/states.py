"""The OAuth state: signed, for one integration, valid once and in the browser where the sign-in began."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col

from backend.accounts.install.hosts import proven_hosts
from backend.core.errors import BadCallback
from backend.core.sentences.said import said
from backend.core.signing import STATE_SECONDS, BadState, opaque_id, same_secret
from backend.resources import Resources
from backend.storage.db import dialect_insert
from backend.storage.models import SpentState


@dataclass(frozen=True, slots=True)
class SignIn:
    """The content of a state. ``base_url``: the account's host, or '' if it was unknown when the sign-in began."""

    by_operator: bool
    base_url: str


async def sign_state(resources: Resources, client_id: str, *, by_operator: bool, browser: str, host: str = "") -> str:
    """A new signed state.

    ``browser``: the cookie that must return with it; '' for a program that has the admin token. ``host``: the base URL
    that the operator named, or '' for the integration's own, if it is known.
    """
    known = {host} if host else await proven_hosts(resources, client_id)
    content = {"client_id": client_id, "operator": by_operator, "browser": _digest(browser) if browser else ""}
    content |= {"host": next(iter(known)) if len(known) == 1 else "", "nonce": opaque_id(resources.randomness)}
    return resources.states.sign(content)


async def spend_state(resources: Resources, state: str, *, client_id: str, browser: str) -> SignIn:
    """The content of the state, once. Raises ``BadCallback`` for a used or expired one, another browser or
    integration."""
    try:
        content = resources.states.read(state)
    except BadState:
        raise BadCallback(said("sign_in_expired")) from None
    if content.get("client_id") != client_id:
        raise BadCallback(said("sign_in_other_integration"))
    if content.get("browser") and not same_secret(_digest(browser), content["browser"]):
        raise BadCallback(said("sign_in_other_browser", address=f"{resources.addresses.public_url}/admin"))
    if not content.get("nonce") or not await _spent(resources, content["nonce"]):
        raise BadCallback(said("sign_in_used"))
    return SignIn(bool(content.get("operator")), content.get("host", ""))


async def _spent(resources: Resources, nonce: str) -> bool:
    """True at the first use of the nonce. Expired nonces are deleted, because their state is refused anyway."""
    now = resources.clock()
    async with resources.database.write() as session:
        await session.exec(delete(SpentState).where(col(SpentState.expires_at) < now))
        row = dialect_insert(session, SpentState).values(digest=_digest(nonce), expires_at=now + STATE_SECONDS)
        new = await session.exec(row.on_conflict_do_nothing().returning(col(SpentState.digest)))
        return new.first() is not None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
