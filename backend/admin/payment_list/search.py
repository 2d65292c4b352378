"""Search by names, e-mails and phones, which only Kommo stores: Kommo does the search."""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass

from backend.accounts.tokens.call import with_kommo
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import Lead
from backend.resources import Resources

PATIENCE_SECONDS = 3.0
LONGEST = 100
OURS = re.compile(r"(pi|ch|py|cs|in|sub|re|du|dp)_\w+")
"""A Stripe id, for which Kommo is not asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """The found deals. ``silent``: Kommo did not answer, so names were not searched."""

    leads: frozenset[int] = frozenset()
    silent: bool = False


async def deals_named(resources: Resources, account_id: int, text: str) -> Found:
    """Return the deals that Kommo finds by name, or by a contact's name, e-mail or phone.

    Text of one character and Stripe ids are not searched; Kommo has three seconds to answer.
    """
    asked = text.strip()[:LONGEST]
    if len(asked) < 2 or OURS.fullmatch(asked):
        return Found()
    try:
        searched = with_kommo(resources, account_id, lambda api: api.search(asked))
        return Found(frozenset(await asyncio.wait_for(searched, PATIENCE_SECONDS)))
    except (NotConnected, CannotOpen, KommoError, TimeoutError):
        return Found(silent=True)


async def deals_as_named(resources: Resources, account_id: int, lead_ids: Collection[int]) -> dict[int, Lead]:
    """Return deals by Kommo id, for their names; {} if Kommo does not answer within three seconds."""
    if not lead_ids:
        return {}
    try:
        asked = with_kommo(resources, account_id, lambda api: api.leads(sorted(lead_ids)))
        return await asyncio.wait_for(asked, PATIENCE_SECONDS)
    except (NotConnected, CannotOpen, KommoError, TimeoutError):
        return {}
