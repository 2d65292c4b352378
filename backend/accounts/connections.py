"""Stripe connections: a Stripe account and mode seen from one Kommo account, its key, and its webhook endpoint."""

import hashlib
from collections.abc import Iterable

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.errors import NotConnected
from backend.ledger.load import is_live
from backend.models import Account, StripeConnection
from backend.resources import Resources
from backend.stripe_api.client import PINNED_VERSION, Answer, Refused, StripeApi
from backend.stripe_api.events import HANDLERS

EVENTS = sorted(HANDLERS)
log = structlog.get_logger()


def key_row(connection_id: str) -> str:
    return f"stripe_connection:{connection_id}:api_key"


def secret_row(connection_id: str) -> str:
    return f"stripe_connection:{connection_id}:webhook_secret"


def is_live_key(api_key: str) -> bool:
    """The prefix of a key is its mode: sk_live_, rk_live_."""
    return "_live_" in api_key[:12]


def stripe_api(resources: Resources, connection: StripeConnection) -> StripeApi:
    """The calls of this connection, under its own key."""
    if not connection.api_key:
        raise NotConnected("Stripe is not connected: no API key is stored. An admin adds one in the set-up.")
    key = resources.vault.open_text(connection.api_key, key_row(connection.id))
    return StripeApi(key, api_base=resources.addresses.stripe_api_base, http=resources.stripe_http)


def secrets_of(resources: Resources, connection: StripeConnection) -> list[str]:
    """All signing secrets that are alive: made by API and given by hand."""
    row = secret_row(connection.id)
    return [
        resources.vault.open_text(sealed, row) for sealed in (*connection.webhook_secrets, *connection.given_secrets)
    ]


async def connections_of(session: AsyncSession, account_id: int) -> list[StripeConnection]:
    found = await session.exec(
        select(StripeConnection).where(col(StripeConnection.account_id) == account_id).order_by(StripeConnection.id)
    )
    return list(found.all())


async def connection_for_button(session: AsyncSession, account: Account) -> StripeConnection:
    """The active connection of the account's mode, or ``NotConnected``."""
    all_of_them = await connections_of(session, account.id)
    live = is_live(account, all_of_them)
    active = [one for one in all_of_them if one.state == "active" and one.livemode == live and one.api_key]
    if not active:
        mode = "live" if live else "test"
        raise NotConnected(
            f"Stripe is not connected in {mode} mode. Ask your administrator to add a key in the set-up."
        )
    return active[0]


def webhook_url(resources: Resources, connection_id: str) -> str:
    return f"{resources.addresses.public_url}/stripe/webhook/{connection_id}"


async def ensure_endpoints(resources: Resources, account_id: int) -> None:
    """Every active connection has its endpoint; a refusal is told to the admin and stops nothing else."""
    async with resources.database.read() as session:
        connections = await connections_of(session, account_id)
    for connection in connections:
        if connection.state == "active" and connection.api_key:
            await ensure_endpoint(resources, connection)


async def ensure_endpoint(resources: Resources, connection: StripeConnection) -> None:
    """Made with the pinned version and our events; compared and repaired when it is there already."""
    try:
        made = await _made_or_repaired(resources, connection)
    except Refused as error:
        named = f" The key lacks the permission {error.permission}." if error.permission else ""
        await _note_problem(resources, connection, f"Stripe refused the webhook endpoint: {error.message}{named}")
        log.warning("endpoint refused", connection=connection.id, reason=error.message)
        return
    if made is not None:
        await _keep_endpoint(resources, connection, made)
    else:
        await _note_problem(resources, connection, "")


async def _made_or_repaired(resources: Resources, connection: StripeConnection) -> Answer | None:
    """The new endpoint with its secret, or None where the one that is there is as it should be."""
    api, url = stripe_api(resources, connection), webhook_url(resources, connection.id)
    there = await _endpoint(api, connection.endpoint_id)
    if there is not None and there.get("api_version") == PINNED_VERSION and connection.webhook_secrets:
        if sorted(there["enabled_events"]) != EVENTS or there["url"] != url or there["status"] != "enabled":
            await api.update_endpoint(there["id"], EVENTS, url)
        return None
    made = await api.create_endpoint(url, EVENTS, _creation_key(connection, url))
    if there is not None:
        await api.delete_endpoint(there["id"])
    return made


def _creation_key(connection: StripeConnection, url: str) -> str:
    """The same until it is stored, so that a crash between Stripe's answer and our commit makes no second endpoint."""
    said = f"{url}|{PINNED_VERSION}|{','.join(EVENTS)}|{connection.endpoint_id}"
    return f"endpoint:{connection.id}:{hashlib.sha256(said.encode()).hexdigest()[:16]}"


async def _endpoint(api: StripeApi, endpoint_id: str) -> Answer | None:
    if not endpoint_id:
        return None
    try:
        return await api.endpoint(endpoint_id)
    except Refused as error:
        if error.status == 404:
            return None
        raise


async def _keep_endpoint(resources: Resources, connection: StripeConnection, made: Answer) -> None:
    """The secret is in this one answer of Stripe's and in no later one: sealed at once."""
    sealed = resources.vault.seal_text(made["secret"], secret_row(connection.id))
    async with resources.database.write() as session:
        row = await session.get_one(StripeConnection, connection.id)
        row.endpoint_id, row.endpoint_version = made["id"], str(made.get("api_version") or "")
        row.webhook_secrets = [sealed, *row.webhook_secrets][:2]
        row.problem = ""
        session.add(row)


async def _note_problem(resources: Resources, connection: StripeConnection, problem: str) -> None:
    if connection.problem == problem:
        return
    async with resources.database.write() as session:
        row = await session.get_one(StripeConnection, connection.id)
        row.problem = problem
        session.add(row)


def seal_secrets(resources: Resources, connection_id: str, secrets: Iterable[str]) -> list[str]:
    return [resources.vault.seal_text(secret, secret_row(connection_id)) for secret in secrets]
