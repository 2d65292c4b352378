"""What the set-up page asks of Kommo while an admin looks: the account's users and its name."""

import asyncio
from dataclasses import dataclass

from backend.accounts.tokens.call import with_kommo
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.kommo_api.values import User
from backend.resources import Resources

PATIENCE_SECONDS = 3.0
"""Less than Kommo may take to answer: a person waits, and who there is can be told by their ids as well."""
NOT_NOW = "Kommo does not tell the names of users right now. Open this page again in a moment."


@dataclass(frozen=True)
class Team:
    """All users that Kommo told of, or none; ``silence`` says why none and what to do."""

    users: tuple[User, ...] = ()
    silence: str = ""


async def team_of(resources: Resources, account_id: int) -> Team:
    """Asked of Kommo now, and never an error: without Kommo's word the users are known by their ids alone."""
    try:
        asked = with_kommo(resources, account_id, lambda api: api.users())
        users = await asyncio.wait_for(asked, PATIENCE_SECONDS)
        return Team(tuple(users)) if users else Team(silence=NOT_NOW)
    except KommoForbidden:
        return Team(
            silence="Kommo tells the names of users to administrators only, and whoever connected it here is none. "
            "Let an administrator press Connect again; until then users are named by their ids."
        )
    except (NotConnected, CannotOpen):
        return Team(
            silence="Kommo tells the names of users once connected again; until then they are named by their ids."
        )
    except (KommoError, TimeoutError):
        return Team(silence=NOT_NOW)


async def proposed_name(resources: Resources, account_id: int) -> str:
    """The account's name in Kommo, proposed as the name of the business; empty while Kommo does not tell it."""
    try:
        asked = with_kommo(resources, account_id, lambda api: api.account())
        return (await asyncio.wait_for(asked, PATIENCE_SECONDS)).name
    except (NotConnected, CannotOpen, KommoError, TimeoutError):
        return ""
