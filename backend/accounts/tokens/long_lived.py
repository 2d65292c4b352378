"""Calls with a long-lived token, which cannot be refreshed: one 401 is repeated; after more the token is probed
rarely."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy import ColumnElement, and_, update
from sqlmodel import col

from backend.accounts.tokens.refresh import NEW_SETTINGS, require_reconnect
from backend.accounts.tokens.sealed import api_of, open_pair
from backend.core.clock import lies_ahead
from backend.core.errors import NotConnected
from backend.core.sentences.said import said, together
from backend.kommo_api.auth.tokens import token_expires_at
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoUnauthorized
from backend.resources import Resources
from backend.storage.models import Account

T = TypeVar("T")

REPEAT_SECONDS = 0.5
FIRST_PROBE_SECONDS = 30.0
PROBE_TAKES_SECONDS = 60.0
"""Duration of a claimed probe: other processes wait for its end, at most this long if the process dies."""
LONGEST_PROBE_SECONDS = 600.0
GIVE_UP_SECONDS = 24 * 3600.0
"""A token refused for this long was revoked: only a person can resolve it."""
REFUSES = said("long_lived_refused")
log = structlog.get_logger()


async def by_long_lived_token(resources: Resources, account: Account, call: Callable[[KommoApi], Awaitable[T]]) -> T:
    """The result of ``call``. Raises ``NotConnected``, without a request, while a refused token is not due for a probe.

    Raises also the ``KommoError``s of ``call``; a repeated 401 becomes ``NotConnected``.
    """
    if account.refused_since:
        await _claim_probe(resources, account)
    try:
        result = await _called_twice(resources, account, call)
    except KommoUnauthorized as error:
        raise await _refused(resources, account) from error
    if account.refused_since:
        await _accepted(resources, account)
    return result


async def _called_twice(resources: Resources, account: Account, call: Callable[[KommoApi], Awaitable[T]]) -> T:
    try:
        return await call(api_of(resources, account))
    except KommoUnauthorized:
        await asyncio.sleep(REPEAT_SECONDS)
    return await call(api_of(resources, account))


async def _claim_probe(resources: Resources, account: Account) -> None:
    """Claim the probe for this caller, or raise ``NotConnected``."""
    now = resources.clock()
    if lies_ahead(account.probe_at, now, LONGEST_PROBE_SECONDS):
        raise _resting(account.probe_at - now)
    async with resources.database.write() as session:
        free = and_(_same(account), col(Account.probe_at) == account.probe_at)
        values = {"probe_at": now + PROBE_TAKES_SECONDS}
        claimed = await session.exec(update(Account).where(free).values(**values))
    if not claimed.rowcount:
        raise _resting(PROBE_TAKES_SECONDS)


async def _refused(resources: Resources, account: Account) -> NotConnected:
    """Record a refusal. The account must be connected again if the token has expired by its own claim or was refused
    for a day; until then it stays connected, because Kommo may refuse by mistake."""
    now = resources.clock()
    since = account.refused_since or now
    ends_at = token_expires_at(open_pair(resources, account).access_token)
    if (ends_at is not None and ends_at <= now) or now - since >= GIVE_UP_SECONDS:
        return await require_reconnect(resources, account, together(REFUSES, NEW_SETTINGS))
    pause = _pause(account, now)
    problem = together(REFUSES, said("long_lived_retried", what=NEW_SETTINGS))
    log.warning("long-lived token refused", account=account.id, seconds=pause)
    async with resources.database.write() as session:
        values = {"refused_since": since, "probe_at": now + pause, "problem": problem}
        await session.exec(update(Account).where(_same(account)).values(**values))
    return _resting(pause)


async def _accepted(resources: Resources, account: Account) -> None:
    log.info("long-lived token accepted", account=account.id)
    async with resources.database.write() as session:
        row = await session.get_one(Account, account.id, with_for_update=True)
        if row.token_version == account.token_version:
            row.refused_since = row.probe_at = 0.0
            row.problem = "" if row.problem.startswith(REFUSES) else row.problem
            session.add(row)


def _pause(account: Account, now: float) -> float:
    """Seconds until the next probe: the time since the first refusal, within bounds, so that pauses double."""
    refused_for = now - account.refused_since if account.refused_since else 0.0
    return min(max(refused_for, FIRST_PROBE_SECONDS), LONGEST_PROBE_SECONDS)


def _resting(seconds: float) -> NotConnected:
    return NotConnected(together(REFUSES, said("tried_again_in", seconds=round(max(seconds, 1)))))


def _same(account: Account) -> ColumnElement[bool]:
    return and_(col(Account.id) == account.id, col(Account.token_version) == account.token_version)
