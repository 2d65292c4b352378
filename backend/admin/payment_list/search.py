"""Search by names, e-mails and phones, which only Kommo stores: Kommo does the search."""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from backend.accounts.tokens.call import with_kommo
from backend.core.cache import CacheSpec
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import Lead
from backend.resources import Resources

PATIENCE_SECONDS = 3.0
LONGEST = 100
NAMED: CacheSpec[tuple[int, int], Lead | Literal["gone"]] = CacheSpec(60.0, most=10_000)
"""Deals by account id and deal id: paging, and a search after a search, must not use Kommo's rate limit for names."""
SEARCHED: CacheSpec[tuple[int, str], frozenset[int]] = CacheSpec(20.0, most=500)
"""The deals that Kommo found, by account id and text: the next page of a search asks nothing."""
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
    cache, key = resources.caches[SEARCHED], (account_id, asked)
    known = cache.get(key)
    if known is not None:
        return Found(known)
    try:
        searched = with_kommo(resources, account_id, lambda api: api.search(asked))
        found = frozenset(await asyncio.wait_for(searched, PATIENCE_SECONDS))
    except (NotConnected, CannotOpen, KommoError, TimeoutError):
        return Found(silent=True)
    cache.put(key, found)
    return Found(found)


async def deals_as_named(resources: Resources, account_id: int, lead_ids: Collection[int]) -> dict[int, Lead]:
    """Return deals by Kommo id, for their names, which may be a minute old. Deleted deals are left out.

    If Kommo does not answer within three seconds, only those that were read in that minute are returned.
    """
    cache = resources.caches[NAMED]
    known = {lead_id: lead for lead_id in lead_ids if (lead := cache.get((account_id, lead_id))) is not None}
    missing = sorted({*lead_ids} - known.keys())
    if missing:
        try:
            asked = with_kommo(resources, account_id, lambda api: api.leads(missing))
            found = await asyncio.wait_for(asked, PATIENCE_SECONDS)
        except (NotConnected, CannotOpen, KommoError, TimeoutError):
            found, missing = {}, []
        for lead_id in missing:
            known[lead_id] = found.get(lead_id, "gone")
            cache.put((account_id, lead_id), known[lead_id])
    return {lead_id: lead for lead_id, lead in known.items() if lead != "gone"}
