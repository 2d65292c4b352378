"""The connected Stripe accounts as their owner knows them, asked of Stripe while an administrator looks."""

import asyncio
from dataclasses import dataclass

from sqlmodel import col, select

from backend.accounts.stripe.connections import connections_of, key_of, stripe_api
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen
from backend.resources import Resources
from backend.storage.models import Audit, StripeConnection
from backend.stripe_api.client import Refused, Unreachable

PATIENCE_SECONDS = 3.0
LOOKED_AT = 200
"""Audit rows, newest first, searched for the last change of a key."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A Stripe account.

    Parts that the key may not read are ''. ``key_end``: its last four characters; ``by``: who entered it.
    """

    name: str = ""
    account: str = ""
    country: str = ""
    key_end: str = ""
    since: float | None = None
    by: str = ""


async def identities(resources: Resources, account_id: int) -> dict[str, Identity]:
    """Return the Stripe account of each connection that is not removed, by the connection's id.

    Stripe is asked for at most ``PATIENCE_SECONDS``; without an answer the connection's label is the name. ``since``
    (epoch seconds) and ``by`` come from the audit log's last ``LOOKED_AT`` rows; else None and the connection's source.
    """
    async with resources.database.read() as session:
        connections = [one for one in await connections_of(session, account_id) if one.state != "removed"]
        changes = select(Audit).where(Audit.account_id == account_id, col(Audit.what).startswith("Stripe"))
        rows = (await session.exec(changes.order_by(col(Audit.id).desc()).limit(LOOKED_AT))).all()
    given = {one.id: next((row for row in rows if one.id in row.after.values()), None) for one in connections}
    told = await asyncio.gather(*(_told(resources, one) for one in connections))
    return {
        one.id: Identity(*said, key_of(resources, one)[-4:], row.at if row else None, row.who if row else one.source)
        for one, said, row in zip(connections, told, given.values(), strict=True)
    }


async def _told(resources: Resources, connection: StripeConnection) -> tuple[str, str, str]:
    """Return (name, account id, country), as far as Stripe tells them."""
    try:
        said = await asyncio.wait_for(stripe_api(resources, connection).account(), PATIENCE_SECONDS)
    except (Refused, Unreachable, NotConnected, CannotOpen, TimeoutError):
        return connection.label, "", ""
    profile, dashboard = said.get("business_profile") or {}, (said.get("settings") or {}).get("dashboard") or {}
    name = profile.get("name") or dashboard.get("display_name") or connection.label
    return str(name or ""), str(said.get("id") or ""), str(said.get("country") or "")
