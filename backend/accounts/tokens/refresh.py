"""Refreshes token pairs: one process at a time, and no pair is lost between Kommo's answer and our commit, even while
the database is unreachable.

Every write is fenced by ``token_version``: a refresh that an admin's new installation overtook changes nothing.
"""

import asyncio
from contextlib import suppress

import structlog
from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import col

from backend.accounts.integrations import client_secret, keys_of, known_keys, same_address
from backend.accounts.sign_out import sign_out
from backend.accounts.tokens.proofs import note_no
from backend.accounts.tokens.relocation import follow, moved_host
from backend.accounts.tokens.sealed import open_pair, seal_pair
from backend.core.clock import lies_ahead
from backend.core.errors import NotConnected
from backend.core.sentences.said import said, together
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
"""Duration of a turn, renewed for each call and much longer than its 15 s: no other process refreshes meanwhile."""
WAIT_SECONDS = 0.2
LATE_SECONDS = 1.0
"""Wait after a lost answer: a request whose connection broke may still reach Kommo. If it arrived after our next one
and before the new pair was used, it would invalidate that pair."""
NEW_SETTINGS = said("long_lived_new")
"""What to do about a refused long-lived token: without a refresh token a new address cannot be found."""
REFRESH_FILE = "refresh"
"""Prefix of the names of files with answers to a refresh."""
log = structlog.get_logger()
_under_way: set[asyncio.Task[Account]] = set()
"""Strong references: the event loop itself holds its tasks weakly."""


class Overtaken(Exception):
    """Our turn ended while we waited for the rate limit, and another process has it."""


def answer_row(account_id: int) -> str:
    """The row name for which an unparsed refresh answer is sealed."""
    return f"account:{account_id}:token_answer"


def answer_file(account_id: int, version: int) -> str:
    """The name of the file in which the answer to this version's refresh waits for the database."""
    return f"{REFRESH_FILE}-{account_id}-{version}"


async def connected(resources: Resources, account_id: int) -> Account:
    """The account with this id. Raises ``NotConnected`` if it is unknown or not connected."""
    async with resources.database.read() as session:
        account = await session.get(Account, account_id)
    if account is None or account.state != "connected":
        raise NotConnected(said("kommo_not_connected"))
    return account


async def renew(resources: Resources, used: Account) -> Account:
    """The account with a newer token pair than ``used`` has, refreshed here or by the process that has the turn.

    Raises ``NotConnected`` and ``KommoError``.
    """
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
    """Take the turn if it is free. It also is if a dead process left an answer, which needs no call to Kommo."""
    now = resources.clock()
    is_taken = lies_ahead(col(Account.refresh_until), now, 2 * TURN_SECONDS)
    is_free = or_(~is_taken, col(Account.token_answer).is_not(None))
    return await _held(resources, account, is_free)


async def _held(resources: Resources, account: Account, where: ColumnElement[bool]) -> bool:
    """Take or extend the turn if ``where`` is true; ``account.refresh_until`` then identifies it."""
    until = resources.clock() + TURN_SECONDS
    async with resources.database.write() as session:
        turn = {"refresh_until": until, "refresh_owner": resources.alive.lock()}
        result = await session.exec(update(Account).where(_same(account), where).values(**turn))
    if result.rowcount:
        account.refresh_until = until
    return bool(result.rowcount)


async def _check_not_given_up(resources: Resources, account: Account) -> None:
    """Raise ``KommoUnavailable`` if the awaited turn failed; otherwise each waiter would repeat it in an outage."""
    async with resources.database.read() as session:
        now = await session.get_one(Account, account.id)
    if now.token_version == account.token_version and now.refresh_until == 0.0:
        raise KommoUnavailable("its tokens could not be refreshed")


async def _to_the_end(resources: Resources, account: Account) -> Account:
    """Finish the turn even if the caller is cancelled: a pair that Kommo has issued must be stored."""
    turn = asyncio.create_task(_turn(resources, account))
    _under_way.add(turn)
    turn.add_done_callback(_under_way.discard)
    return await asyncio.shield(turn)


async def finish_refreshes(seconds: float) -> None:
    """Wait at most ``seconds`` for this process's refreshes: Kommo's answer to an abandoned one would be lost."""
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
    await note_no(resources, known_keys(resources, integration), error.reason)
    if error.reason is Refusal.REDIRECT_URI and integration is not None:
        return same_address(keys_of(resources, integration))
    if error.reason in (Refusal.ACCOUNT, Refusal.NO_ACCOUNT):
        return no_account_there(account)
    if error.reason in (Refusal.KEYS, Refusal.CLIENT_ID, Refusal.CLIENT_SECRET):
        return said("secret_refused_now")
    return said("refresh_token_refused", reason=str(error))


async def _kept_answer(resources: Resources, account: Account) -> bytes | None:
    """The raw answer that a process stored before it died, or None; using it saves the account's connection."""
    async with resources.database.read() as session:
        row = await session.get_one(Account, account.id)
    if row.token_answer:
        return resources.vault.open_text(row.token_answer, answer_row(row.id)).encode()
    return resources.files.get(answer_file(account.id, account.token_version))


async def _asked(resources: Resources, account: Account) -> bytes:
    """Kommo's raw answer; if the account has moved, from its new host."""
    try:
        return await _answer(resources, account)
    except (TokenRefused, KommoMoved):
        host = await moved_host(resources, account)
        if host is None:
            raise
        return await _answer(resources, await follow(resources, account, host))


async def _answer(resources: Resources, account: Account) -> bytes:
    """Kommo's raw answer. After a lost answer the old token is tried once more: by one of the two readings of Kommo's
    documentation it still works (docs/facts/kommo-api.md 2)."""
    given = await _grant(resources, account)
    try:
        return await _refreshed(resources, account, given)
    except KommoError as error:
        if not error.doubtful:
            raise
        log.warning("token refresh answer lost", account=account.id, reason=str(error))
        return await _refreshed(resources, account, given)


async def _refreshed(resources: Resources, account: Account, given: dict[str, str]) -> bytes:
    """Kommo's raw answer. All calls of the account wait for it, so it never counts as backlog.

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
        raise await require_reconnect(resources, account, said("integration_not_known_now"))
    return {
        "client_id": integration.client_id,
        "client_secret": client_secret(resources, integration),
        "redirect_uri": integration.redirect_uri,
        "refresh_token": open_pair(resources, account).refresh_token,
    }


async def store_answer(resources: Resources, account: Account, raw: bytes) -> Account:
    """Store the new pair from Kommo's raw answer and return the account. Raises ``KommoUnavailable`` without a complete
    pair.

    While the database is unreachable the answer is kept in a file and the storing is retried (``SealedFiles.keep``).
    """

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
    """Store the pair before any call uses it. It also reconnects an account whose old tokens were refused while the
    database was unreachable."""
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
    """End the turn, and drop an unreadable answer, so that the next callers do not parse it again."""
    async with resources.database.write() as session:
        await session.exec(update(Account).where(_same(account)).values(refresh_until=0.0, token_answer=None))


def no_account_there(account: Account) -> str:
    """A sentence for people: Kommo answers 404 for the whole account, and what to do."""
    way = said("moved_connect_again") if account.token_expires_at else said("moved_subdomain")
    return together(said("no_account_now", address=account.base_url), way)


async def require_reconnect(resources: Resources, account: Account, problem: str) -> NotConnected:
    """Mark the account as to be connected again, end its sessions, and return the error for the caller to raise.

    ``problem`` is shown to the admin until then. Nothing changes if the account has newer tokens than ``account``.
    """
    log.error("account reconnect required", account=account.id, reason=problem)
    async with resources.database.write() as session:
        marked = await session.exec(
            update(Account)
            .where(_same(account), col(Account.state) == "connected")
            .values(state="reconnect", problem=problem, refresh_until=0.0, token_answer=None)
        )
        if marked.rowcount:
            await sign_out(session, col(Account.id) == account.id)
    return NotConnected(said("must_reconnect"))


def _same(account: Account) -> ColumnElement[bool]:
    return and_(col(Account.id) == account.id, col(Account.token_version) == account.token_version)
