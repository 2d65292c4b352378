"""The OAuth state: signed, for one integration, valid once and in the browser where the sign-in began."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col

from backend.accounts.install.hosts import proven_hosts
from backend.core.errors import BadCallback
from backend.core.signing import STATE_SECONDS, BadState, opaque_id, same_secret
from backend.resources import Resources
from backend.storage.db import dialect_insert
from backend.storage.models import SpentState

AGAIN = "Start again from the set-up page."


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
    said = {"client_id": client_id, "operator": by_operator, "browser": _digest(browser) if browser else ""}
    said |= {"host": next(iter(known)) if len(known) == 1 else "", "nonce": opaque_id(resources.randomness)}
    return resources.states.sign(said)


async def spend_state(resources: Resources, state: str, *, client_id: str, browser: str) -> SignIn:
    """The content of the state, once. Raises ``BadCallback`` for a used or expired one, another browser or
    integration."""
    try:
        said = resources.states.read(state)
    except BadState:
        raise BadCallback(f"This sign-in has expired or was not begun here. {AGAIN}") from None
    if said.get("client_id") != client_id:
        raise BadCallback(f"This sign-in was begun for another integration. {AGAIN}")
    if said.get("browser") and not same_secret(_digest(browser), said["browser"]):
        raise BadCallback(
            "This sign-in was begun in another browser, or this one does not keep this server's cookies. "
            f"Open {resources.addresses.public_url}/admin in this browser and start again."
        )
    if not said.get("nonce") or not await _spent(resources, said["nonce"]):
        raise BadCallback(f"This sign-in was used already. {AGAIN}")
    return SignIn(bool(said.get("operator")), said.get("host", ""))


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
