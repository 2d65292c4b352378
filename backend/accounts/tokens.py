"""Kommo's tokens: kept fresh, refreshed by one process at a time, never lost between Kommo's answer and our commit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import orjson
import structlog
from sqlalchemy import update
from sqlmodel import col, select

from backend import metrics
from backend.accounts.integrations import client_secret
from backend.errors import NotConnected
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoError, KommoUnauthorized
from backend.kommo_api.oauth import TokenRefused, refresh
from backend.kommo_api.tokens import TokenPair, parse_pair
from backend.models import Account, Integration
from backend.resources import Resources

T = TypeVar("T")

REFRESH_LEASE_SECONDS = 40.0
"""Outlives the 15 s that a token call may take, twice: nobody else refreshes meanwhile."""
WAIT_SECONDS = 0.2
log = structlog.get_logger()


def tokens_row(account_id: int) -> str:
    return f"account:{account_id}:tokens"


def answer_row(account_id: int) -> str:
    return f"account:{account_id}:token_answer"


def seal_pair(resources: Resources, account_id: int, pair: TokenPair) -> str:
    tokens = {"access_token": pair.access_token, "refresh_token": pair.refresh_token}
    return resources.vault.seal_text(orjson.dumps(tokens).decode(), tokens_row(account_id))


def open_pair(resources: Resources, account: Account) -> dict[str, str]:
    pair: dict[str, str] = orjson.loads(resources.vault.open_text(account.tokens, tokens_row(account.id)))
    return pair


def api_with(resources: Resources, account: Account, access_token: str) -> KommoApi:
    return KommoApi(
        resources.kommo_http,
        account.base_url,
        access_token,
        resources.pace(account.id),
        on_answer=metrics.kommo_answered,
    )


async def kommo(resources: Resources, account_id: int) -> KommoApi:
    """Kommo for this account with a token that is good now; refreshed once half of its life is over."""
    account = await _connected(resources, account_id)
    if is_stale(account, resources.clock()):
        account = await renew(resources, account)
    return api_with(resources, account, open_pair(resources, account)["access_token"])


async def calling(resources: Resources, account_id: int, call: Callable[[KommoApi], Awaitable[T]]) -> T:
    """``call`` with a good token; on 401 one forced refresh and one repeat, then the account must be reconnected."""
    account = await _connected(resources, account_id)
    try:
        return await call(await kommo(resources, account_id))
    except KommoUnauthorized:
        account = await _connected(resources, account_id)
        renewed = await renew(resources, account)
    try:
        return await call(api_with(resources, renewed, open_pair(resources, renewed)["access_token"]))
    except KommoUnauthorized as error:
        await _must_reconnect(resources, account_id, "Kommo refuses a fresh token. Install the integration again.")
        raise NotConnected("Kommo must be connected again by an administrator.") from error


def is_stale(account: Account, now: float) -> bool:
    """Past half of its life. A long-lived token has no refresh token and never is."""
    if not account.token_expires_at:
        return False
    return now >= (account.token_issued_at + account.token_expires_at) / 2


async def renew(resources: Resources, account: Account) -> Account:
    """A new pair, made by one process only; the others wait for it. Raises when Kommo does not give one."""
    if not account.token_expires_at:
        await _must_reconnect(resources, account.id, "The long-lived token is not accepted any more. Make a new one.")
        raise NotConnected("Kommo does not accept the long-lived token any more.")
    while True:
        now = resources.clock()
        if await _take_turn(resources, account, now):
            return await _refresh(resources, account)
        await asyncio.sleep(WAIT_SECONDS)
        fresh = await _connected(resources, account.id)
        if fresh.token_version != account.token_version:
            return fresh


async def _take_turn(resources: Resources, account: Account, now: float) -> bool:
    async with resources.database.write() as session:
        result = await session.exec(
            update(Account)
            .where(
                col(Account.id) == account.id,
                col(Account.token_version) == account.token_version,
                col(Account.refresh_until) <= now,
            )
            .values(refresh_until=now + REFRESH_LEASE_SECONDS)
        )
    return bool(result.rowcount)


async def _refresh(resources: Resources, account: Account) -> Account:
    raw = await _kept_answer(resources, account)
    if raw is None:
        raw = await _ask(resources, account)
        await _keep_answer(resources, account, raw)
    pair = parse_pair(raw, resources.clock())
    return await _store(resources, account, pair)


async def _kept_answer(resources: Resources, account: Account) -> bytes | None:
    """The raw answer that a process kept and died before parsing; using it saves the account."""
    async with resources.database.read() as session:
        row = await session.get_one(Account, account.id)
    return resources.vault.open_text(row.token_answer, answer_row(account.id)).encode() if row.token_answer else None


async def _ask(resources: Resources, account: Account) -> bytes:
    """One refresh, and after a lost answer the old token once more: by one of Kommo's two readings it still works."""
    async with resources.database.read() as session:
        integration = await session.get(Integration, account.client_id)
    if integration is None:
        await _must_reconnect(resources, account.id, "The integration of this account is not known here any more.")
        raise NotConnected("The Kommo integration of this account was removed.")
    given = {
        "client_id": integration.client_id,
        "client_secret": client_secret(resources, integration),
        "redirect_uri": integration.redirect_uri,
        "refresh_token": open_pair(resources, account)["refresh_token"],
    }
    try:
        try:
            return await refresh(resources.kommo_http, account.base_url, **given)
        except KommoError as error:
            if not error.doubtful:
                raise
            log.warning("answer to a refresh was lost", account=account.id, reason=str(error))
            return await refresh(resources.kommo_http, account.base_url, **given)
    except TokenRefused as error:
        await _must_reconnect(resources, account.id, f"Kommo refused the refresh token: {error}. Install again.")
        raise NotConnected("Kommo must be connected again by an administrator.") from error
    except KommoError:
        await _give_up_turn(resources, account)
        raise


async def _keep_answer(resources: Resources, account: Account, raw: bytes) -> None:
    sealed = resources.vault.seal_text(raw.decode("utf-8", "replace"), answer_row(account.id))
    async with resources.database.write() as session:
        await session.exec(update(Account).where(col(Account.id) == account.id).values(token_answer=sealed))


async def _store(resources: Resources, account: Account, pair: TokenPair) -> Account:
    """Committed before anybody uses it."""
    async with resources.database.write() as session:
        row = await session.get_one(Account, account.id, with_for_update=True)
        row.tokens = seal_pair(resources, row.id, pair)
        row.token_version += 1
        row.token_issued_at, row.token_expires_at = resources.clock(), pair.expires_at
        row.token_answer, row.refresh_until = None, 0.0
        session.add(row)
    return row


async def _give_up_turn(resources: Resources, account: Account) -> None:
    async with resources.database.write() as session:
        await session.exec(update(Account).where(col(Account.id) == account.id).values(refresh_until=0.0))


async def _must_reconnect(resources: Resources, account_id: int, problem: str) -> None:
    log.error("account must be connected again", account=account_id, reason=problem)
    async with resources.database.write() as session:
        await session.exec(
            update(Account)
            .where(col(Account.id) == account_id, col(Account.state) == "connected")
            .values(state="reconnect", problem=problem, refresh_until=0.0, token_answer=None)
        )


async def _connected(resources: Resources, account_id: int) -> Account:
    async with resources.database.read() as session:
        account = await session.get(Account, account_id)
    if account is None or account.state != "connected":
        raise NotConnected("Kommo is not connected. An administrator installs the integration again.")
    return account


async def refresh_idle(resources: Resources) -> None:
    """Accounts that nobody writes to keep their tokens, too: three months of silence would end them."""
    async with resources.database.read() as session:
        accounts = (await session.exec(select(Account).where(Account.state == "connected"))).all()
    for account in accounts:
        if is_stale(account, resources.clock()):
            try:
                await renew(resources, account)
            except (KommoError, NotConnected) as error:
                log.warning("idle token not refreshed", account=account.id, reason=str(error))
