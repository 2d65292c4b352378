"""Stripe connections: a Stripe account and mode seen from one Kommo account, its key and its signing secrets."""

from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import NotConnected
from backend.core.sentences.said import said
from backend.core.telemetry.lines import note_after_commit
from backend.core.vault import CannotOpen
from backend.ledger.load import is_live
from backend.resources import Resources
from backend.storage.models import Account, StripeConnection
from backend.stripe_api.client import StripeApi

MAKING = 0x737472697065  # any number that no other lock has, the same for all our processes


def key_row(connection_id: str) -> str:
    """The row name for which a connection's API key is sealed."""
    return f"stripe_connection:{connection_id}:api_key"


def secret_row(connection_id: str) -> str:
    """The row name for which a connection's signing secrets are sealed."""
    return f"stripe_connection:{connection_id}:webhook_secret"


def note_stripe(session: AsyncSession, connection: StripeConnection) -> None:
    """Log after the commit that the account has this connection; nothing while the connection has no account."""
    if connection.account_id is not None:
        ids = {"account": connection.account_id, "connection": connection.id}
        note_after_commit(session, "Stripe connected", **ids, livemode=connection.livemode)


def is_live_key(api_key: str) -> bool:
    """True for a live key: its prefix is sk_live_ or rk_live_."""
    return "_live_" in api_key[:12]


def stripe_api(resources: Resources, connection: StripeConnection) -> StripeApi:
    """The Stripe client of this connection, with its own key. Raises ``NotConnected`` without a key, and
    ``CannotOpen``."""
    if not connection.api_key:
        raise NotConnected(said("stripe_no_key"))
    key = resources.vault.open_text(connection.api_key, key_row(connection.id))
    return StripeApi(key, api_base=resources.addresses.stripe_api_base, http=resources.stripe_http.opened())


def secrets_of(resources: Resources, connection: StripeConnection) -> list[str]:
    """All valid signing secrets, created by API or entered by hand. Raises ``CannotOpen`` if none can be decrypted."""
    sealed = [*connection.webhook_secrets, *connection.given_secrets]
    opened = opened_secrets(resources, connection, sealed)
    if sealed and not opened:
        resources.vault.open_text(sealed[0], secret_row(connection.id))
    return opened


def opened_secrets(resources: Resources, connection: StripeConnection, sealed: Iterable[str]) -> list[str]:
    """The decrypted secrets. One that cannot be decrypted is left out: a newer secret next to it replaces it."""
    opened = []
    for one in sealed:
        with suppress(CannotOpen):
            opened.append(resources.vault.open_text(one, secret_row(connection.id)))
    return opened


def key_of(resources: Resources, connection: StripeConnection) -> str:
    """The decrypted Stripe API key, or '' if there is none or SECRET_KEYS cannot decrypt it (a new key may then replace
    it)."""
    with suppress(CannotOpen):
        return resources.vault.open_text(connection.api_key, key_row(connection.id)) if connection.api_key else ""
    return ""


async def one_at_a_time(session: AsyncSession) -> None:
    """Prevent other processes from creating a connection until this unit of work ends.

    On SQLite this does nothing, because a writing unit is alone anyway.
    """
    if session.get_bind().dialect.name != "sqlite":
        connection = await session.connection()
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({MAKING})"))


async def connections_of(session: AsyncSession, account_id: int) -> list[StripeConnection]:
    """All connections of the account, ordered by id, draining and removed ones too."""
    found = await session.exec(
        select(StripeConnection).where(col(StripeConnection.account_id) == account_id).order_by(StripeConnection.id)
    )
    return list(found.all())


async def connection_for_button(session: AsyncSession, account: Account) -> StripeConnection:
    """The active connection of the account's mode. Raises ``NotConnected``."""
    all_of_them = await connections_of(session, account.id)
    live = is_live(account, all_of_them)
    active = [one for one in all_of_them if one.state == "active" and one.livemode == live and one.api_key]
    if not active:
        raise NotConnected(said("stripe_not_in_mode", mode=said("mode_live" if live else "mode_test")))
    return active[0]


def webhook_url(resources: Resources, connection_id: str) -> str:
    """The URL to which Stripe sends this connection's events."""
    return f"{resources.addresses.public_url}/stripe/webhook/{connection_id}"


async def drain_others(session: AsyncSession, chosen: StripeConnection) -> None:
    """Make the account's other connections of this mode draining: they receive events and refund, but create nothing
    new."""
    for connection in await connections_of(session, chosen.account_id or 0):
        is_other = connection.id != chosen.id and connection.livemode == chosen.livemode
        if is_other and connection.state == "active":
            connection.state = "draining"
            session.add(connection)


def seal_secrets(resources: Resources, connection_id: str, secrets: Iterable[str]) -> list[str]:
    """The signing secrets, each encrypted for this connection."""
    return [resources.vault.seal_text(secret, secret_row(connection_id)) for secret in secrets]
