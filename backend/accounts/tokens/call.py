"""Calls to Kommo for an account with a valid token. Every call for an account goes through ``with_kommo``."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from sqlmodel import select

from backend.accounts.tokens.long_lived import by_long_lived_token
from backend.accounts.tokens.refresh import TURN_SECONDS, connected, renew, require_reconnect
from backend.accounts.tokens.relocation import follow, moved_host
from backend.accounts.tokens.sealed import api_of
from backend.core.cache import CacheSpec
from backend.core.clock import lies_ahead
from backend.core.errors import NotConnected
from backend.core.sentences.said import said
from backend.core.vault import CannotOpen
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoError, KommoMoved, KommoNotFound, KommoUnauthorized
from backend.resources import Resources
from backend.storage.models import Account

T = TypeVar("T")
Call = Callable[[KommoApi], Awaitable[T]]

REFRESH_PAUSES = CacheSpec[tuple[int, int], bool](60.0, most=10_000)
"""By account and token version: a pause after a failed refresh while the token is still valid, so that an outage of
the token endpoint delays no call."""
log = structlog.get_logger()


async def with_kommo(resources: Resources, account_id: int, call: Call[T]) -> T:
    """The result of ``call`` with a valid token. On a 401 the token is refreshed once and ``call`` repeated once.

    A 301, 401 or 404 may also mean that the account moved to another subdomain; then ``call`` is repeated there
    (docs/facts/kommo-api.md 2). Raises ``KommoError`` and ``NotConnected``; after the latter no call had any effect,
    because each was refused or none was made.
    """
    with _apart_from_the_call():
        account = await _fresh(resources, account_id)
    if not account.token_expires_at:
        return await by_long_lived_token(resources, account, call)
    try:
        return await call(api_of(resources, account))
    except KommoUnauthorized:
        with _apart_from_the_call():
            account = await renew(resources, account)
    except (KommoNotFound, KommoMoved) as error:
        return await _where_it_went(resources, account, call, error)
    try:
        return await call(api_of(resources, account))
    except (KommoUnauthorized, KommoMoved) as error:
        refused: KommoError = error
    try:
        return await _where_it_went(resources, account, call, refused)
    except KommoUnauthorized as error:
        problem = said("fresh_token_refused")
        raise await require_reconnect(resources, account, problem) from error


@contextmanager
def _apart_from_the_call() -> Iterator[None]:
    """Mark errors of a refresh as not doubtful: the call itself was not made or was refused."""
    try:
        yield
    except KommoError as error:
        error.doubtful = False
        raise


async def _where_it_went(resources: Resources, account: Account, call: Call[T], refused: KommoError) -> T:
    """The result of ``call`` at the account's new host; raises ``refused`` again if the account has not moved."""
    host = await moved_host(resources, account)
    if host is None:
        raise refused
    return await call(api_of(resources, await follow(resources, account, host)))


async def _fresh(resources: Resources, account_id: int) -> Account:
    """The account, its token refreshed after half of its life. While the refresh fails or another process does it, the
    old token is used."""
    account = await connected(resources, account_id)
    now = resources.clock()
    if not is_stale(account, now):
        return account
    if account.token_expires_at <= now:
        return await renew(resources, account)
    pauses, failed = resources.caches[REFRESH_PAUSES], (account_id, account.token_version)
    if lies_ahead(account.refresh_until, now, 2 * TURN_SECONDS) or failed in pauses:
        return account
    try:
        return await renew(resources, account)
    except KommoError as error:
        log.warning("token refresh deferred", account=account_id, reason=str(error))
        pauses.put(failed, True)
        return account


def is_stale(account: Account, now: float) -> bool:
    """True after half of the token's life; never for a long-lived token, which has no refresh token.

    ``now``: epoch seconds.
    """
    if not account.token_expires_at:
        return False
    return now >= (account.token_issued_at + account.token_expires_at) / 2


async def refresh_idle(resources: Resources) -> None:
    """Refresh the stale tokens of all connected accounts, because a refresh token ends after three unused months.

    Failures are logged (docs/facts/kommo-api.md 2).
    """
    async with resources.database.read() as session:
        accounts = (await session.exec(select(Account).where(Account.state == "connected"))).all()
    for account in accounts:
        if is_stale(account, resources.clock()):
            try:
                await renew(resources, account)
            except (KommoError, NotConnected, CannotOpen) as error:
                log.warning("idle token refresh failed", account=account.id, reason=str(error))
