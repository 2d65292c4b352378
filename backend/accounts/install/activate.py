"""Turns a token pair into a connected account, once Kommo has named the account. May be repeated after a crash."""

from functools import partial

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.install.pending import FOR_GOOD, OpenInstall, forget, forget_in, note_account, note_refusal
from backend.accounts.kommo_hooks import give_address
from backend.accounts.stripe.connections import drain_others, note_stripe
from backend.accounts.tokens.refresh import NEW_SETTINGS
from backend.accounts.tokens.sealed import seal_pair
from backend.core import metrics
from backend.core.errors import BadCallback, KommoUnreachable
from backend.core.sentences.said import said
from backend.core.telemetry.lines import note_after_commit
from backend.kommo_api.auth.tokens import TokenPair, parse_pair, token_account_id, token_user_id
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import (
    KommoError,
    KommoForbidden,
    KommoMoved,
    KommoNotFound,
    KommoRefused,
    KommoUnauthorized,
)
from backend.kommo_api.values import AccountInfo
from backend.resources import Resources
from backend.storage.models import Account, Audit, Integration, StripeConnection
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

log = structlog.get_logger()


class AwaitsYes(BadCallback):
    """Another account of an integration that has one already: the operator must confirm it."""


async def activate(resources: Resources, pending: OpenInstall) -> Account:
    """The connected account of a pending answer or token. Kommo names the account before any row of it changes.

    The pair stays durable in ``pending`` until the account has it. A definite refusal ends the waiting with
    ``BadCallback``; after ``KommoUnreachable`` the installation still waits, and after ``AwaitsYes`` it waits for the
    operator.
    """
    try:
        pair = _pair(pending)
        info = await _whose(resources, pending.base_url, pair)
        may_replace = await _may_replace(resources, pending.base_url, pair, info.id)
    except KommoUnauthorized as error:
        if pending.kind == "token":
            raise await _token_refused(resources, pending, FOR_GOOD) from error
        await forget(resources, pending)
        raise BadCallback(said("token_not_accepted")) from error
    except (KommoNotFound, KommoMoved) as error:
        if pending.kind == "token":
            raise await _token_refused(resources, pending, "") from error
        raise KommoUnreachable(said("code_then_failed", reason=str(error))) from error
    except KommoError as error:
        if pending.kind == "answer" and error.doubtful:  # no complete pair: parsing it again would not help
            await forget(resources, pending)
            raise KommoUnreachable(said("answer_unreadable")) from error
        raise KommoUnreachable(said("code_then_failed", reason=str(error))) from error
    if not may_replace:
        await forget(resources, pending)
        raise BadCallback(said("only_administrator_connects"))
    try:
        account = await _store(resources, pending, pair, info)
    except AwaitsYes:
        await note_account(resources, pending, info.id, info.subdomain)
        raise
    resources.work_arrived.set()
    return account


async def _token_refused(resources: Resources, pending: OpenInstall, how: str) -> BadCallback:
    """Keep the refused token with its problem, so that the set-up page can show it; returns the error to raise."""
    problem = said("long_lived_refused_at", address=pending.base_url, what=NEW_SETTINGS)
    await note_refusal(resources, pending, problem, how)
    return BadCallback(problem)


def _pair(pending: OpenInstall) -> TokenPair:
    if pending.kind == "token":
        return TokenPair(pending.secret, "", 0.0)
    return parse_pair(pending.secret.encode(), pending.received_at)


async def _whose(resources: Resources, base_url: str, pair: TokenPair) -> AccountInfo:
    hinted = token_account_id(pair.access_token)
    info = await _api(resources, base_url, pair, hinted).account()
    if hinted not in (None, info.id):
        log.warning("account hint contradicted", token=hinted, kommo=info.id)
    return info


def _api(resources: Resources, base_url: str, pair: TokenPair, account_id: int | None) -> KommoApi:
    turn = partial(resources.turn, account_id)
    return KommoApi(resources.kommo_http, base_url, pair.access_token, turn, on_answer=metrics.kommo_answered)


async def _may_replace(resources: Resources, base_url: str, pair: TokenPair, account_id: int) -> bool:
    """True if the account is not connected or the new tokens are an administrator's.

    Any Kommo user can authorize an installed integration, with their own permissions. With a rep's token other users'
    deals look deleted.
    """
    async with resources.database.read() as session:
        account = await session.get(Account, account_id)
    user_id = token_user_id(pair.access_token)
    if account is None or account.state != "connected" or user_id is None:
        return True
    try:
        user = await _api(resources, base_url, pair, account_id).user(user_id)
    except (KommoForbidden, KommoRefused):
        return False
    return user is None or user.is_admin


@repeated
async def _store(resources: Resources, pending: OpenInstall, pair: TokenPair, info: AccountInfo) -> Account:
    """The account with its new pair, connected, its set-up due. If a callback and a worker have the same answer at
    once, only one stores it."""
    now = resources.clock()
    async with account_unit(resources.database, info.id) as session:
        is_first = await forget_in(session, pending)
        account = await session.get(Account, info.id, with_for_update=True)
        if account is not None and not is_first:
            return account
        integration = await session.get(Integration, pending.client_id, with_for_update=True)
        if not pending.is_confirmed and _is_further(integration, account, info.id):
            raise AwaitsYes("The integration belongs to another Kommo account. The operator must confirm this one.")
        if account is None:
            account = Account(id=info.id, base_url="", tokens="", connected_at=now)
        give_address(resources, account)
        account.client_id, account.base_url = pending.client_id, pending.base_url
        account.state, account.problem, account.set_up_at = "connected", "", 0.0
        account.tokens = seal_pair(resources, info.id, pair)
        account.token_version += 1
        account.token_issued_at, account.token_expires_at = pending.received_at, pair.expires_at
        account.token_answer, account.refresh_until = None, 0.0
        account.refused_since = account.probe_at = 0.0
        account.subdomain, account.currency, account.timezone = info.subdomain, info.currency, info.timezone
        session.add(account)
        session.add(Audit(at=now, account_id=info.id, who="Kommo", what="connected", after={"by": pending.kind}))
        if integration is not None and integration.account_id is None:
            integration.account_id = info.id
            session.add(integration)
        if _may_have_key(resources, pending, account, integration):
            await _tie_environment(session, account)
        await request_work(session, info.id)
        note_after_commit(
            session, "account connected", account=info.id, client_id=pending.client_id or None, by=pending.kind
        )
    return account


def _is_further(integration: Integration | None, account: Account | None, account_id: int) -> bool:
    """True if the integration has another account already and did not connect this one before."""
    if integration is None or integration.account_id in (None, account_id):
        return False
    return account is None or account.client_id != integration.client_id


def _may_have_key(
    resources: Resources, pending: OpenInstall, account: Account, integration: Integration | None
) -> bool:
    """True if the environment's Stripe key belongs to this account: the one that KOMMO_SUBDOMAIN names, else the first
    that the operator connects, or that the environment's integration connects at the only host of KOMMO_BASE_URL."""
    if resources.kommo_subdomain:
        return resources.kommo_subdomain == account.subdomain
    if pending.is_confirmed:
        return True
    if integration is None:
        return False
    is_named = "{subdomain}" not in resources.addresses.kommo_base_url and integration.source == "environment"
    return is_named or integration.base_url == pending.base_url


async def _tie_environment(session: AsyncSession, account: Account) -> None:
    free = await session.exec(select(StripeConnection).where(col(StripeConnection.account_id).is_(None)))
    for connection in free.all():
        connection.account_id = account.id
        session.add(connection)
        note_stripe(session, connection)
        await drain_others(session, connection)
