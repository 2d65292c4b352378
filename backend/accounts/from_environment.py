"""Connections from the environment: the first integration, the first Stripe key, a long-lived token instead of
OAuth."""

from dataclasses import replace

import structlog
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.install.hosts import trusted_host
from backend.accounts.install.legacy import fill_columns
from backend.accounts.install.pending import SETTINGS, OpenInstall, forget_tokens, keep
from backend.accounts.integrations import Keys, name_environments, put_integration
from backend.accounts.kommo_hooks import give_addresses
from backend.accounts.stripe.connect import Given, store_connection
from backend.accounts.stripe.connections import (
    connections_of,
    drain_others,
    is_live_key,
    key_of,
    note_stripe,
    one_at_a_time,
    seal_secrets,
)
from backend.accounts.stripe.other_account import AccountChange, account_change, change_audit
from backend.accounts.stripe.rotation import rotated_connection
from backend.accounts.tokens.sealed import open_pair, opens
from backend.core.config import Settings
from backend.core.errors import StripeUnreachable
from backend.resources import Resources
from backend.storage.models import Account, StripeConnection
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

log = structlog.get_logger()


async def ensure_environment(resources: Resources, settings: Settings) -> None:
    """Bring the database in line with the environment at a start: a changed secret, key or token replaces the stored
    one."""
    await give_addresses(resources)
    await fill_columns(resources)
    await forget_tokens(resources)
    async with resources.database.write() as session:
        if settings.kommo_client_id:
            secret = settings.kommo_client_secret.get_secret_value()
            keys = Keys(settings.kommo_client_id, secret, settings.redirect_uri)
            await put_integration(resources, session, keys)
            await session.flush()
        await name_environments(session, settings.kommo_client_id)
    if settings.stripe_api_key.get_secret_value() or settings.webhook_secrets:
        await _put_stripe(resources, settings)
    else:
        await _let_go_of_stripe(resources)
    if settings.kommo_long_lived_token.get_secret_value():
        await _put_token(resources, settings)


async def _put_stripe(resources: Resources, settings: Settings) -> None:
    """Store STRIPE_API_KEY. The same key again changes nothing; a new one counts as a rotation only if Stripe proves
    that it is of the same account."""
    key, secrets = settings.stripe_api_key.get_secret_value().strip(), settings.webhook_secrets
    async with resources.database.read() as session:
        row = await _of_environment(session)
        account_id = (row.account_id if row else None) or await _account_id(session, resources.kommo_subdomain)
        others = await connections_of(session, account_id) if account_id else []
    if row is not None and (not key or key_of(resources, row) == key):
        await _keep_secrets(resources, row.id, secrets, account_id)
        return
    try:
        known = [row, *others] if row else others
        same = await rotated_connection(resources, known, key) if key else None
        same = _never_set_up(row, key) if same is None else same
        change = await account_change(resources, known, same, key) if key else None
    except StripeUnreachable as error:
        log.error("STRIPE_API_KEY change deferred", reason=error.message, action="restart once Stripe answers")
        return
    if change is not None and change.is_same_account:
        same, change = same or change.connection_id, None
    await _store(resources, row, same, Given(key, secrets, account_id), change)


async def _let_go_of_stripe(resources: Resources) -> None:
    """STRIPE_API_KEY is unset: an older draining connection from the environment becomes removable."""
    async with resources.database.write() as session:
        gave_way = (col(StripeConnection.source) == "environment", col(StripeConnection.state) == "draining")
        await session.exec(update(StripeConnection).where(*gave_way).values(source="admin"))


def _never_set_up(row: StripeConnection | None, key: str) -> str | None:
    """The id of a connection that was never set up, which takes any key of its mode; else None."""
    if row is None or row.endpoint_id or (row.api_key and row.livemode != is_live_key(key)):
        return None
    return row.id


async def _store(
    resources: Resources, row: StripeConnection | None, same: str | None, given: Given, change: AccountChange | None
) -> None:
    """Store the key. A changed setting of the operator confirms a change of account; the change is still audited."""
    async with account_unit(resources.database, given.account_id) as session:
        await one_at_a_time(session)
        if same is None:  # another process that starts at the same moment may have created it
            same = await _made_meanwhile(resources, session, given)
            change = change if same is None else None
        if row is not None and same != row.id:
            old = await session.get_one(StripeConnection, row.id)
            old.source, old.state = "admin", "draining"
            session.add(old)
        made = await store_connection(resources, session, replace(given, secrets=()), same)
        made.source, made.livemode = "environment", given.livemode
        made.given_secrets = seal_secrets(resources, made.id, given.secrets)
        session.add(made)
        if change is not None:
            _record(resources, session, change, made)
        if given.account_id is not None:
            await _set_up_anew(session, given.account_id)


def _record(resources: Resources, session: AsyncSession, change: AccountChange, made: StripeConnection) -> None:
    who, at = "the server's settings", resources.clock()
    session.add(change_audit(change, at=at, account_id=made.account_id, who=who, connection_id=made.id))
    change.log(made.account_id, who)


async def _made_meanwhile(resources: Resources, session: AsyncSession, given: Given) -> str | None:
    made = await _of_environment(session)
    return made.id if made is not None and key_of(resources, made) == given.key else None


@repeated
async def _keep_secrets(resources: Resources, connection_id: str, secrets: list[str], account_id: int | None) -> None:
    async with account_unit(resources.database, account_id) as session:
        row = await session.get_one(StripeConnection, connection_id)
        row.given_secrets = seal_secrets(resources, row.id, secrets)
        session.add(row)
        if row.account_id is None and account_id is not None:
            await _tie(session, row, account_id)


async def _tie(session: AsyncSession, row: StripeConnection, account_id: int) -> None:
    """Tie the connection to the account that KOMMO_SUBDOMAIN names now; events received meanwhile become due."""
    row.account_id = account_id
    note_stripe(session, row)
    await drain_others(session, row)
    await _set_up_anew(session, account_id)


async def _set_up_anew(session: AsyncSession, account_id: int) -> None:
    """Set the account up at once, not at the next hourly check: without its endpoint no payment is received."""
    account = await session.get_one(Account, account_id, with_for_update=True)
    account.set_up_at = 0.0
    session.add(account)
    await request_work(session, account_id)


async def _of_environment(session: AsyncSession) -> StripeConnection | None:
    return (await session.exec(select(StripeConnection).where(StripeConnection.source == "environment"))).first()


async def _account_id(session: AsyncSession, subdomain: str) -> int | None:
    """The account of KOMMO_SUBDOMAIN, else the first that connected."""
    chosen = select(Account).order_by(col(Account.connected_at))
    if subdomain:
        chosen = chosen.where(Account.subdomain == subdomain)
    account = (await session.exec(chosen)).first()
    return account.id if account else None


async def _put_token(resources: Resources, settings: Settings) -> None:
    """Store KOMMO_LONG_LIVED_TOKEN as a pending installation until Kommo names its account. A connected account keeps
    its own token."""
    token = settings.kommo_long_lived_token.get_secret_value().strip()
    async with resources.database.read() as session:
        found = await session.exec(select(Account).where(Account.subdomain == resources.kommo_subdomain))
        account = found.first()
    if account is not None and account.state == "connected" and not _is_other(resources, account, settings):
        return
    base_url = trusted_host(resources, f"{resources.kommo_subdomain}.kommo.com")
    row_id, now = f"/{resources.kommo_subdomain}", resources.clock()
    await keep(resources, OpenInstall(row_id, "token", settings.kommo_client_id, token, base_url, now, SETTINGS))


def _is_other(resources: Resources, account: Account, settings: Settings) -> bool:
    """True if the account uses a long-lived token that differs from the environment's, or another integration."""
    token = settings.kommo_long_lived_token.get_secret_value().strip()
    same = (
        opens(resources, account)
        and open_pair(resources, account).access_token == token
        and account.client_id == settings.kommo_client_id
    )
    return not account.token_expires_at and not same
