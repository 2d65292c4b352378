"""Names, e-mails and phones are Kommo's and are not kept here: who searches by one has Kommo search."""

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
"""A Stripe id, which Kommo need not be asked about."""


@dataclass(frozen=True, slots=True)
class Found:
    """``silent``: Kommo did not answer, so names were not searched."""

    leads: frozenset[int] = frozenset()
    silent: bool = False


async def deals_named(resources: Resources, account_id: int, text: str) -> Found:
    """The deals that Kommo finds by their name, or by the name, e-mail or phone of a contact."""
    asked = text.strip()[:LONGEST]
    if len(asked) < 2 or OURS.fullmatch(asked):
        return Found()
    try:
        searched = with_kommo(resources, account_id, lambda api: api.search(asked))
        return Found(frozenset(await asyncio.wait_for(searched, PATIENCE_SECONDS)))
    except (NotConnected, CannotOpen, KommoError, TimeoutError):
        return Found(silent=True)


async def deals_as_named(resources: Resources, account_id: int, lead_ids: Collection[int]) -> dict[int, Lead]:
    """The deals of a page, for their names; empty where Kommo does not answer soon."""
    if not lead_ids:
        return {}
    try:
        asked = with_kommo(resources, account_id, lambda api: api.leads(sorted(lead_ids)))
        return await asyncio.wait_for(asked, PATIENCE_SECONDS)
    except (NotConnected, CannotOpen, KommoError, TimeoutError):
        return {}
