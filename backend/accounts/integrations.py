"""Private Kommo integrations, and what the environment brings: the first integration and the first Stripe key."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.connections import is_live_key, key_row, seal_secrets
from backend.config import Settings
from backend.errors import FieldInvalid, RequestNotFound
from backend.models import Account, Integration, StripeConnection
from backend.resources import Resources
from backend.signing import opaque_id


def secret_row(client_id: str) -> str:
    return f"integration:{client_id}:secret"


def client_secret(resources: Resources, integration: Integration) -> str:
    return resources.vault.open_text(integration.secret, secret_row(integration.client_id))


async def all_integrations(session: AsyncSession) -> list[Integration]:
    return list((await session.exec(select(Integration).order_by(Integration.client_id))).all())


async def ensure_environment(resources: Resources, settings: Settings) -> None:
    """What the environment says now holds: a changed secret or key is taken over at each start."""
    async with resources.database.write() as session:
        if settings.kommo_client_id:
            secret = settings.kommo_client_secret.get_secret_value()
            await _put(resources, session, settings.kommo_client_id, secret, settings.redirect_uri, "environment")
        if settings.stripe_api_key.get_secret_value() or settings.webhook_secrets:
            await _put_stripe(resources, session, settings)


async def _put(
    resources: Resources, session: AsyncSession, client_id: str, secret: str, redirect_uri: str, source: str
) -> Integration:
    row = await session.get(Integration, client_id)
    if row is None:
        row = Integration(client_id=client_id, secret="", redirect_uri=redirect_uri, source=source)
    row.secret = resources.vault.seal_text(secret, secret_row(client_id))
    row.redirect_uri = redirect_uri
    session.add(row)
    return row


async def _put_stripe(resources: Resources, session: AsyncSession, settings: Settings) -> None:
    key = settings.stripe_api_key.get_secret_value()
    found = await session.exec(select(StripeConnection).where(StripeConnection.source == "environment"))
    row = found.first()
    if row is not None and row.livemode != is_live_key(key) and key:
        row.source, row.state = "admin", "draining"  # another mode is another connection; the old one runs out
        session.add(row)
        row = None
    if row is None:
        account_id = await _account_of_environment(session, settings.kommo_subdomain)
        row = StripeConnection(id=opaque_id(), account_id=account_id, source="environment", livemode=is_live_key(key))
    if key:
        row.api_key = resources.vault.seal_text(key, key_row(row.id))
    row.given_secrets = seal_secrets(resources, row.id, settings.webhook_secrets)
    session.add(row)


async def _account_of_environment(session: AsyncSession, subdomain: str) -> int | None:
    """The account of KOMMO_SUBDOMAIN, else the first that connected."""
    chosen = select(Account).order_by(col(Account.connected_at))
    if subdomain:
        chosen = chosen.where(Account.subdomain == subdomain)
    account = (await session.exec(chosen)).first()
    return account.id if account else None


async def put_integration(resources: Resources, client_id: str, given: Mapping[str, Any]) -> Integration:
    """Add or change one: ``{"client_secret", "redirect_uri"?, "label"?}``."""
    secret = given.get("client_secret")
    if not isinstance(secret, str) or not secret:
        raise FieldInvalid("Send the integration's secret key from Kommo's tab Keys and scopes.", field="client_secret")
    redirect_uri = given.get("redirect_uri") or resources.addresses.redirect_uri
    async with resources.database.write() as session:
        row = await _put(resources, session, client_id, secret, str(redirect_uri), "admin")
        row.label = str(given.get("label") or row.label)[:100]
        session.add(row)
    return row


async def remove_integration(resources: Resources, client_id: str) -> None:
    """Forget an integration and its secret. Accounts connected by it must be connected again."""
    async with resources.database.write() as session:
        row = await session.get(Integration, client_id)
        if row is None:
            raise RequestNotFound(f"There is no integration {client_id[:60]!r}.")
        accounts = (await session.exec(select(Account).where(Account.client_id == client_id))).all()
        for account in accounts:
            account.state, account.problem = "reconnect", "Its Kommo integration was removed from this server."
            session.add(account)
        await session.delete(row)
