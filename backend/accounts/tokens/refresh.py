"""A new pair of tokens: made by one process at a time, never lost between Kommo's answer and our commit, however long
the database is away meanwhile.

Every write is fenced by ``token_version``: who was overtaken by an admin's new installation changes nothing.
"""

import asyncio
from contextlib import suppress

import structlog
from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import col

from backend.accounts.integrations import client_secret, keys_of, same_address
from backend.accounts.sign_out import sign_out
from backend.accounts.tokens.relocation import follow, moved_host
from backend.accounts.tokens.sealed import open_pair, seal_pair
from backend.core.clock import lies_ahead
from backend.core.errors import NotConnected
from backend.kommo_api.auth.oauth import TokenRefused, refresh
from backend.kommo_api.auth.refusals import Refusal
from backend.kommo_api.auth.tokens import TokenPair, parse_pair
from backend.kommo_api.errors import KommoError, KommoMoved, KommoUnavailable
from backend.resources import Resources
from backend.storage.models import Account, Integration
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

TURN_SECONDS = 90.0
"""Outlives the 15 s of a call by far, and begins anew with each: nobody else refreshes meanwhile."""
WAIT_SECONDS = 0.2
LATE_SECONDS = 1.0
"""A request whose connection broke may reach Kommo yet. If it did so after our next one, and before anybody used what
that brought, it would end the pair that we hold."""
NEW_SETTINGS = (
    "Make a new token in Kommo and put it into KOMMO_LONG_LIVED_TOKEN; or, where the account's address in Kommo was "
    "changed, put the first word of the new one into KOMMO_SUBDOMAIN. Then start again."
)
"""A long-lived token has no refresh token, by which a new address is found."""
REFRESH_FILE = "refresh"
"""What the names of such files begin with."""
log = structlog.get_logger()
_under_way: set[asyncio.Task[Account]] = set()
"""The event loop itself holds its tasks weakly."""


class Overtaken(Exception):
    """Our turn ran out while we waited for Kommo's rate, and another process has it."""


def answer_row(account_id: int) -> str:
    return f"account:{account_id}:token_answer"


def answer_file(account_id: int, version: int) -> str:
    """The name under which an answer to the refresh of this version's tokens waits for the database."""
    return f"{REFRESH_FILE}-{account_id}-{version}"


async def connected(resources: Resources, account_id: int) -> Account:
    async with resources.database.read() as session:
        account = await session.get(Account, account_id)
    if account is None or account.state != "connected":
        raise NotConnected("Kommo is not connected. An administrator installs the integration again.")
    return account


async def renew(resources: Resources, used: Account) -> Account:
    """The account with a newer pair than the one ``used``; made here, or by whoever has its turn."""
    while True:
        account = await connected(resources, used.id)
        if account.token_version != used.token_version:
            return account
        if await _take_turn(resources, account):
            with suppress(Overtaken):
                return await _to_the_end(resources, account)
        await asyncio.sleep(WAIT_SECONDS)
        await _check_not_given_up(resources, account)


async def _take_turn(resources: Resources, account: Account) -> bool:
    """At once where a process died with the answer in hand: reading it again asks Kommo for nothing."""
    now = resources.clock()
    is_taken = lies_ahead(col(Account.refresh_until), now, 2 * TURN_SECONDS)
    is_free = or_(~is_taken, col(Account.token_answer).is_not(None))
    return await _held(resources, account, is_free)


async def _held(resources: Resources, account: Account, where: ColumnElement[bool]) -> bool:
    """The turn is ours from now on, if ``where`` was true; ``account`` then tells which one it is."""
    until = resources.clock() + TURN_SECONDS
    async with resources.database.write() as session:
        turn = {"refresh_until": until, "refresh_owner": resources.alive.lock()}
        result = await session.exec(update(Account).where(_same(account), where).values(**turn))
    if result.rowcount:
        account.refresh_until = until
    return bool(result.rowcount)


async def _check_not_given_up(resources: Resources, account: Account) -> None:
    """Who waited for a turn that failed has failed as well; else an outage is lived through once by each."""
    async with resources.database.read() as session:
        now = await session.get_one(Account, account.id)
    if now.token_version == account.token_version and now.refresh_until == 0.0:
        raise KommoUnavailable("its tokens could not be refreshed")


async def _to_the_end(resources: Resources, account: Account) -> Account:
    """Whoever asked may be cancelled; a pair that Kommo has given must be kept all the same."""
    turn = asyncio.create_task(_turn(resources, account))
    _under_way.add(turn)
    turn.add_done_callback(_under_way.discard)
    return await asyncio.shield(turn)


async def finish_refreshes(seconds: float) -> None:
    """Wait for the refreshes of this process, at most so long: Kommo's answer to one that is given up is lost."""
    if _under_way:
        await asyncio.wait(_under_way, timeout=seconds)


async def _turn(resources: Resources, account: Account) -> Account:
    try:
        raw = await _kept_answer(resources, account) or await _asked(resources, account)
        return await store_answer(resources, account, raw)
    except TokenRefused as error:
        raise await require_reconnect(resources, account, await _why(resources, account, error)) from error
    except KommoError:
        await _give_up(resources, account)
        raise


async def _why(resources: Resources, account: Account, error: TokenRefused) -> str:
    async with resources.database.read() as session:
        integration = await session.get(Integration, account.client_id)
    if error.reason is Refusal.REDIRECT_URI and integration is not None:
        return same_address(keys_of(resources, integration))
    if error.reason in (Refusal.ACCOUNT, Refusal.NO_ACCOUNT):
        return no_account_there(account)
    if error.reason in (Refusal.KEYS, Refusal.CLIENT_ID, Refusal.CLIENT_SECRET):
        return "Kommo does not accept the integration's secret key any more. Enter the new one and install again."
    return f"Kommo refused the refresh token: {error}. Install the integration again."


async def _kept_answer(resources: Resources, account: Account) -> bytes | None:
    """The raw answer that a process kept and died before parsing, or before storing; using it saves the account."""
    async with resources.database.read() as session:
        row = await session.get_one(Account, account.id)
    if row.token_answer:
        return resources.vault.open_text(row.token_answer, answer_row(row.id)).encode()
    return resources.files.get(answer_file(account.id, account.token_version))


async def _asked(resources: Resources, account: Account) -> bytes:
    """Kommo's answer. Where Kommo refuses an account that has moved, it is asked once more there."""
    try:
        return await _answer(resources, account)
    except (TokenRefused, KommoMoved):
        host = await moved_host(resources, account)
        if host is None:
            raise
        return await _answer(resources, await follow(resources, account, host))


async def _answer(resources: Resources, account: Account) -> bytes:
    """One refresh, and after a lost answer the old token once more: by one of Kommo's two readings it still works."""
    given = await _grant(resources, account)
    try:
        return await _refreshed(resources, account, given)
    except KommoError as error:
        if not error.doubtful:
            raise
        log.warning("token refresh answer lost", account=account.id, reason=str(error))
        return await _refreshed(resources, account, given)


async def _refreshed(resources: Resources, account: Account, given: dict[str, str]) -> bytes:
    """Everybody who asks for this account waits for it: so it is not backlog, whoever asked.

    After a lost answer our turn lasts a moment longer.
    """
    try:
        async with resources.pace.turn(account.id, backlog=False):
            if not await _held(resources, account, col(Account.refresh_until) == account.refresh_until):
                raise Overtaken
            return await refresh(resources.kommo_http, account.base_url, **given)
    except KommoError as error:
        if error.doubtful:
            await asyncio.sleep(LATE_SECONDS)
        raise


async def _grant(resources: Resources, account: Account) -> dict[str, str]:
    async with resources.database.read() as session:
        integration = await session.get(Integration, account.client_id)
    if integration is None:
        raise await require_reconnect(resources, account, "The integration of this account is not known here any more.")
    return {
        "client_id": integration.client_id,
        "client_secret": client_secret(resources, integration),
        "redirect_uri": integration.redirect_uri,
        "refresh_token": open_pair(resources, account).refresh_token,
    }


async def store_answer(resources: Resources, account: Account, raw: bytes) -> Account:
    """The account with the pair that Kommo answered ``account``'s tokens with; kept and tried again while the database
    is away."""

    async def store() -> Account:
        await _keep_answer(resources, account, raw)
        return await _store(resources, account, parse_pair(raw, resources.clock()))

    return await resources.files.keep(answer_file(account.id, account.token_version), raw, store)


async def _keep_answer(resources: Resources, account: Account, raw: bytes) -> None:
    sealed = resources.vault.seal_text(raw.decode("utf-8", "replace"), answer_row(account.id))
    async with resources.database.write() as session:
        await session.exec(update(Account).where(_same(account)).values(token_answer=sealed))


@repeated
async def _store(resources: Resources, account: Account, pair: TokenPair) -> Account:
    """Stores the pair before anything uses it, and connects the account again where a call with the old tokens was
    refused while the database was away."""
    async with account_unit(resources.database, account.id) as session:
        row = await session.get_one(Account, account.id, with_for_update=True)
        if row.token_version == account.token_version:
            row.tokens = seal_pair(resources, row.id, pair)
            row.token_version += 1
            row.token_issued_at, row.token_expires_at = resources.clock(), pair.expires_at
            row.token_answer, row.refresh_until = None, 0.0
            if row.state == "reconnect":
                row.state, row.problem = "connected", ""
                await request_work(session, row.id)
            session.add(row)
    return row


async def _give_up(resources: Resources, account: Account) -> None:
    """An answer that can't be read is not read again by everybody who comes after."""
    async with resources.database.write() as session:
        await session.exec(update(Account).where(_same(account)).values(refresh_until=0.0, token_answer=None))


def no_account_there(account: Account) -> str:
    """What to do where Kommo answers 404 for the whole account."""
    if account.token_expires_at:
        way = "Where its address in Kommo was changed, connect it again."
    else:
        way = "Put the first word of its address in Kommo into KOMMO_SUBDOMAIN and start again."
    return f"Kommo has no such account at {account.base_url}. {way}"


async def require_reconnect(resources: Resources, account: Account, problem: str) -> NotConnected:
    """Shown to the admin until the account is connected again; the error for whoever asked."""
    log.error("account reconnect required", account=account.id, reason=problem)
    async with resources.database.write() as session:
        marked = await session.exec(
            update(Account)
            .where(_same(account), col(Account.state) == "connected")
            .values(state="reconnect", problem=problem, refresh_until=0.0, token_answer=None)
        )
        if marked.rowcount:
            await sign_out(session, col(Account.id) == account.id)
    return NotConnected("Kommo must be connected again by an administrator.")


def _same(account: Account) -> ColumnElement[bool]:
    return and_(col(Account.id) == account.id, col(Account.token_version) == account.token_version)
