"""Kommo's answers about a user or a deal: each process asks at most every five minutes, else uses the last answer."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from backend.accounts.judgement import Word
from backend.accounts.last_word import keep_deal, keep_user, last_deal, last_user
from backend.accounts.tokens.call import with_kommo
from backend.core.cache import CacheSpec
from backend.core.errors import DealNotFound, NotConnected
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.kommo_api.values import Lead, User
from backend.resources import Resources
from backend.storage.models import Account

T = TypeVar("T")
GONE_SECONDS = 10.0
DEALS = CacheSpec[tuple[int, int], Lead | Literal["gone"]](300.0, most=10_000)
"""Deals by (account, deal)."""
USERS = CacheSpec[tuple[int, int], User | Literal["gone", "hidden"]](300.0, most=10_000)
"""Users by (account, user); ``hidden`` if our token may not read users."""


async def user_word(resources: Resources, account: Account, user_id: int, *, fresh: bool = False) -> Word[User]:
    """Kommo's answer about the user: current, last, or none. Does not raise if Kommo fails.

    ``fresh`` asks Kommo even if the user is cached.
    """
    cache, key = resources.caches[USERS], (account.id, user_id)

    async def ask() -> User | Literal["gone", "hidden"]:
        try:
            user = await with_kommo(resources, account.id, lambda api: api.user(user_id))
        except KommoForbidden:
            return "hidden"
        await keep_user(resources, account.id, user_id, user)
        return user or "gone"

    known = None if fresh else cache.get(key)
    if known is None:
        known, disconnected = await _asked(account, ask)
        if known is None:
            return await _last(last_user(resources, account.id, user_id), disconnected)
        cache.put(key, known)
    if known == "hidden":
        return await _last(last_user(resources, account.id, user_id), False)
    return Word(None if known == "gone" else known, "told")


async def lead_word(resources: Resources, account: Account, lead_id: int, *, fresh: bool) -> Word[Lead]:
    """Kommo's answer about the deal: current, last, or none. Raises ``DealNotFound`` if Kommo has no such deal.

    ``fresh`` asks Kommo even if the deal is cached.
    """
    cache, key = resources.caches[DEALS], (account.id, lead_id)

    async def ask() -> Lead | Literal["gone"]:
        lead = await with_kommo(resources, account.id, lambda api: api.lead(lead_id))
        await keep_deal(resources, account.id, lead_id, lead)
        return lead or "gone"

    known = cache.get(key)
    if known is None or (fresh and known != "gone"):
        known, disconnected = await _asked(account, ask)
        if known is None:
            return await _last(last_deal(resources, account.id, lead_id), disconnected)
        cache.put(key, known, GONE_SECONDS if known == "gone" else None)
    if known == "gone":
        raise DealNotFound("This deal does not exist in Kommo, or was deleted.")
    return Word(known, "told")


async def _asked(account: Account, ask: Callable[[], Awaitable[T]]) -> tuple[T | None, bool]:
    """Kommo's answer or None, and whether the account is disconnected."""
    if account.state != "connected":
        return None, True
    try:
        return await ask(), False
    except NotConnected:
        return None, True
    except KommoError:
        return None, False


async def _last(known: Awaitable[T | None], disconnected: bool) -> Word[T]:
    value = await known
    return Word(value, "none" if value is None else "last", disconnected)
