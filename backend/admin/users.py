"""What the set-up pages ask Kommo while an admin looks: the account's users and its name."""

import asyncio
from dataclasses import dataclass

from backend.accounts.tokens.call import with_kommo
from backend.core.errors import NotConnected
from backend.core.sentences.said import said
from backend.core.vault import CannotOpen
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.kommo_api.values import User
from backend.resources import Resources

PATIENCE_SECONDS = 3.0
"""Less than Kommo may take to answer: a person waits, and users can be shown by their ids."""
NOT_NOW = said("users_not_now")


@dataclass(frozen=True)
class Team:
    """All users of the account, or none; ``silence`` says why there are none and what to do."""

    users: tuple[User, ...] = ()
    silence: str = ""


async def team_of(resources: Resources, account_id: int) -> Team:
    """Return the account's users, asked of Kommo now. Never raises: without an answer users are shown by their ids."""
    try:
        asked = with_kommo(resources, account_id, lambda api: api.users())
        users = await asyncio.wait_for(asked, PATIENCE_SECONDS)
        return Team(tuple(users)) if users else Team(silence=NOT_NOW)
    except KommoForbidden:
        return Team(silence=said("users_for_administrators"))
    except (NotConnected, CannotOpen):
        return Team(silence=said("users_once_connected"))
    except (KommoError, TimeoutError):
        return Team(silence=NOT_NOW)


async def proposed_name(resources: Resources, account_id: int) -> str:
    """Return the account's name in Kommo as a proposal for the business's name; '' if Kommo does not answer."""
    try:
        asked = with_kommo(resources, account_id, lambda api: api.account())
        return (await asyncio.wait_for(asked, PATIENCE_SECONDS)).name
    except (NotConnected, CannotOpen, KommoError, TimeoutError):
        return ""
