"""Connecting a Kommo account: the callback's code becomes a pair of tokens, kept before it is used."""

from dataclasses import dataclass

import orjson
import structlog
from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.integrations import client_secret
from backend.accounts.tokens import seal_pair
from backend.errors import BadCallback, FieldInvalid, KommoUnreachable
from backend.kommo_api import errors as kommo_errors
from backend.kommo_api.client import KommoApi
from backend.kommo_api.hosts import BadReferer, kommo_host
from backend.kommo_api.oauth import TokenRefused, exchange_code
from backend.kommo_api.tokens import TokenPair, parse_pair, token_account_id
from backend.kommo_api.values import AccountInfo
from backend.models import Account, Integration, PendingCode, StripeConnection
from backend.resources import Resources
from backend.signing import BadState
from backend.wakeups import want

CODE_SECONDS = 20 * 60
"""Kommo's own life of a code."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Callback:
    """The query of ``/oauth/kommo/callback``, as it came."""

    code: str
    referer: str
    client_id: str
    state: str | None
    from_widget: bool


def check_state(resources: Resources, callback: Callback) -> None:
    """Without a state only Kommo's own install hook may come; its proof is the code itself."""
    if callback.state is None:
        if not callback.from_widget:
            raise BadCallback("This address has no state. Start again from the set-up page, or install in Kommo.")
        return
    try:
        signed = resources.states.read(callback.state)
    except BadState:
        raise BadCallback("This sign-in has expired or was not begun here. Start again from the set-up page.") from None
    if signed.get("client_id") != callback.client_id:
        raise BadCallback("This sign-in was begun for another integration. Start again from the set-up page.")


async def connect(resources: Resources, callback: Callback) -> Account | None:
    """The connected account; None when the integration's secret is not known yet and the code waits for it.

    The host is checked before anything secret goes there.
    """
    check_state(resources, callback)
    if not callback.code or not callback.client_id:
        raise BadCallback("Kommo sent no code. Install the integration again.")
    try:
        base_url = kommo_host(callback.referer, resources.addresses.kommo_base_url)
    except BadReferer:
        raise BadCallback("The address does not come from Kommo. Nothing was sent there.") from None
    async with resources.database.read() as session:
        integration = await session.get(Integration, callback.client_id)
    if integration is None:
        await _keep_code(resources, callback, base_url)
        return None
    return await exchange(resources, integration, base_url, callback.code)


async def exchange(resources: Resources, integration: Integration, base_url: str, code: str) -> Account:
    """Code → pair → account. The raw answer is durable before it is parsed, the pair before it is used."""
    raw = await _exchanged(resources, integration, base_url, code)
    await _keep_answer(resources, integration, base_url, raw)
    return await adopt_answer(resources, integration, base_url, raw)


async def adopt_answer(resources: Resources, integration: Integration, base_url: str, raw: bytes) -> Account:
    """From a kept answer to a connected account; may be repeated after a crash."""
    pair = parse_pair(raw, resources.clock())
    hinted = token_account_id(pair.access_token)
    if hinted is not None and not await _is_known(resources, hinted):
        await _store(resources, integration, base_url, pair, hinted, None)
    info = await _account_info(resources, base_url, pair)
    if hinted is not None and info.id != hinted:
        log.warning("the token names another account than Kommo does", token=hinted, kommo=info.id)
    account = await _store(resources, integration, base_url, pair, info.id, info)
    resources.work_arrived.set()
    return account


async def _exchanged(resources: Resources, integration: Integration, base_url: str, code: str) -> bytes:
    try:
        return await exchange_code(
            resources.kommo_http,
            base_url,
            client_id=integration.client_id,
            client_secret=client_secret(resources, integration),
            redirect_uri=integration.redirect_uri,
            code=code,
        )
    except TokenRefused as error:
        if error.wrong_keys:
            raise BadCallback("Kommo does not accept the secret key. Copy it again from the integration.") from error
        raise BadCallback(
            "Kommo does not accept the code: it is used or older than 20 minutes. Start again."
        ) from error
    except kommo_errors.KommoError as error:
        raise KommoUnreachable(f"{error} Start again in a moment.") from error


async def _account_info(resources: Resources, base_url: str, pair: TokenPair) -> AccountInfo:
    async def at_once() -> None:
        return None

    try:
        return await KommoApi(resources.kommo_http, base_url, pair.access_token, at_once).account()
    except kommo_errors.KommoError as error:
        raise KommoUnreachable(f"Kommo gave a token and then did not say whose it is: {error}") from error


async def _is_known(resources: Resources, account_id: int) -> bool:
    async with resources.database.read() as session:
        return await session.get(Account, account_id) is not None


async def _store(
    resources: Resources,
    integration: Integration,
    base_url: str,
    pair: TokenPair,
    account_id: int,
    info: AccountInfo | None,
) -> Account:
    """The account with its new pair, connected, its set-up due; ties the environment's Stripe key to the first one."""
    now = resources.clock()
    async with resources.database.write() as session:
        account = await session.get(Account, account_id, with_for_update=True)
        if account is None:
            account = Account(id=account_id, base_url=base_url, tokens="", connected_at=now)
        account.client_id, account.base_url = integration.client_id, base_url
        account.state, account.problem, account.set_up_at = "connected", "", 0.0
        account.tokens = seal_pair(resources, account_id, pair)
        account.token_version += 1
        account.token_issued_at, account.token_expires_at = now, pair.expires_at
        account.token_answer, account.refresh_until = None, 0.0
        if info is not None:
            account.subdomain, account.currency, account.timezone = info.subdomain, info.currency, info.timezone
        session.add(account)
        await session.exec(delete(PendingCode).where(col(PendingCode.client_id) == integration.client_id))
        row = await session.get_one(Integration, integration.client_id)
        row.account_id = account_id
        session.add(row)
        await tie_environment(session, account)
        await want(session, account_id)
    return account


async def tie_environment(session: AsyncSession, account: Account) -> None:
    """The Stripe connection that nobody owns yet belongs to the first account that connects."""
    free = await session.exec(select(StripeConnection).where(col(StripeConnection.account_id).is_(None)))
    for connection in free.all():
        connection.account_id = account.id
        session.add(connection)


def code_row(client_id: str) -> str:
    return f"pending_code:{client_id}:code"


async def _keep_code(resources: Resources, callback: Callback, base_url: str) -> None:
    await _keep(resources, callback.client_id, base_url, {"code": callback.code})


async def _keep_answer(resources: Resources, integration: Integration, base_url: str, raw: bytes) -> None:
    await _keep(resources, integration.client_id, base_url, {"answer": raw.decode("utf-8", "replace")})


async def _keep(resources: Resources, client_id: str, base_url: str, what: dict[str, str]) -> None:
    sealed = resources.vault.seal_text(orjson.dumps(what).decode(), code_row(client_id))
    async with resources.database.write() as session:
        row = await session.get(PendingCode, client_id)
        if row is None:
            row = PendingCode(client_id=client_id, code="", base_url=base_url, received_at=0.0)
        row.code, row.base_url, row.received_at = sealed, base_url, resources.clock()
        session.add(row)


async def finish_pending(resources: Resources, integration: Integration, code: object = None) -> Account | None:
    """Exchange the code that waited for this integration's secret, or adopt the answer a crash left behind.

    A ``code`` given by hand is exchanged at the host that is known for it: the waiting code's, the account's, or the
    one that ``KOMMO_BASE_URL`` names for all.
    """
    async with resources.database.read() as session:
        row = await session.get(PendingCode, integration.client_id)
        account = await session.get(Account, integration.account_id) if integration.account_id else None
    if isinstance(code, str) and code:
        known = row or account
        return await exchange(resources, integration, known.base_url if known else _only_host(resources), code)
    if row is None:
        return None
    kept = orjson.loads(resources.vault.open_text(row.code, code_row(integration.client_id)))
    if "answer" in kept:
        return await adopt_answer(resources, integration, row.base_url, kept["answer"].encode())
    if resources.clock() - row.received_at > CODE_SECONDS:
        return None
    return await exchange(resources, integration, row.base_url, kept["code"])


def _only_host(resources: Resources) -> str:
    if "{subdomain}" in resources.addresses.kommo_base_url:
        raise FieldInvalid("Which account the code is of is not known: install in Kommo, which names it.", field="code")
    return resources.addresses.kommo_base_url
