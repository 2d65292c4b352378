"""Private Kommo integrations: each belongs to one Kommo account, and its keys identify us to Kommo."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import case, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.sign_out import sign_out
from backend.core.errors import FieldInvalid, RequestNotFound
from backend.core.sentences.said import said
from backend.core.vault import CannotOpen
from backend.resources import Resources
from backend.storage.models import Account, Audit, Integration


@dataclass(frozen=True, slots=True)
class Keys:
    """The credentials of an integration for Kommo's token endpoint."""

    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str


def secret_row(client_id: str) -> str:
    """The row name for which an integration's secret is sealed."""
    return f"integration:{client_id}:secret"


def client_secret(resources: Resources, integration: Integration) -> str:
    """The integration's secret key. Raises ``CannotOpen`` if SECRET_KEYS cannot decrypt it."""
    return resources.vault.open_text(integration.secret, secret_row(integration.client_id))


def keys_of(resources: Resources, integration: Integration) -> Keys:
    """The integration's credentials. Raises ``CannotOpen`` if SECRET_KEYS cannot decrypt its secret."""
    return Keys(integration.client_id, client_secret(resources, integration), integration.redirect_uri)


def known_keys(resources: Resources, integration: Integration | None) -> Keys | None:
    """The integration's credentials, or None if it is unknown or its secret cannot be decrypted and must be entered
    again."""
    try:
        return keys_of(resources, integration) if integration and integration.secret else None
    except CannotOpen:
        return None


def same_address(keys: Keys) -> str:
    """A sentence for people: the Redirect URL in Kommo's form differs from ours, and how to fix it."""
    return said("redirect_differs", url=keys.redirect_uri)


async def list_integrations(resources: Resources) -> list[dict[str, Any]]:
    """All integrations as JSON objects, without their secrets.

    Keys: ``client_id``, ``label``, ``account_id``, ``redirect_uri``, ``source``, ``secret`` (``secret_state``).
    """
    async with resources.database.look() as session:
        return [
            {
                "client_id": row.client_id,
                "label": row.label,
                "account_id": row.account_id,
                "redirect_uri": row.redirect_uri,
                "source": row.source,
                "secret": secret_state(row),
            }
            for row in await all_integrations(session)
        ]


def secret_state(row: Integration) -> dict[str, Any]:
    """``{"state", "at"}``: ``saved`` and not tried yet, ``works``, or ``refused`` by Kommo; and since when (epoch
    seconds).
    """
    if row.refused_at:
        return {"state": "refused", "at": row.refused_at}
    return {"state": "works" if row.proven_at else "saved", "at": row.proven_at or row.secret_at}


async def all_integrations(session: AsyncSession) -> list[Integration]:
    """All integrations, ordered by client id."""
    return list((await session.exec(select(Integration).order_by(Integration.client_id))).all())


def is_client_id(given: str) -> bool:
    """True if the text can be a client id of Kommo's; the database is not queried for anything else."""
    return 0 < len(given) <= 100 and given.isprintable()


async def named_integration(session: AsyncSession, client_id: str) -> Integration | None:
    """The integration with this client id, or None."""
    return await session.get(Integration, client_id) if is_client_id(client_id) else None


async def given_keys(resources: Resources, client_id: str, given: Mapping[str, Any]) -> Keys:
    """The checked credentials from ``{"client_secret", "redirect_uri"?, "subdomain"?}``.

    An absent redirect URI keeps the stored one, as does an absent secret if only ``subdomain`` is given for a known
    integration. Raises ``FieldInvalid``.
    """
    secret = given.get("client_secret")
    if not client_id.strip() or not is_client_id(client_id):
        raise FieldInvalid(said("integration_id_wrong"), field="client_id")
    async with resources.database.look() as session:
        known = await session.get(Integration, client_id)
    held = known_keys(resources, known) if secret is None and given.get("subdomain") else None
    secret = held.secret if held else secret
    if not isinstance(secret, str) or not secret.strip():
        raise FieldInvalid(said("secret_missing"), field="client_secret")
    otherwise = known.redirect_uri if known else resources.addresses.redirect_uri
    return Keys(client_id, secret.strip(), _address(given.get("redirect_uri") or otherwise))


def _address(given: Any) -> str:
    try:
        parts = urlsplit(given) if isinstance(given, str) else None
    except ValueError:  # such as ``http://[::1``
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or not given.isprintable():
        raise FieldInvalid(said("redirect_incomplete"), field="redirect_uri")
    return str(given)


async def put_integration(resources: Resources, session: AsyncSession, keys: Keys, *, label: str = "") -> Integration:
    """Insert or update the integration with its sealed secret, and return its row.

    An empty ``label`` keeps the stored one. A new secret counts as not yet proven to be right.
    """
    row = await session.get(Integration, keys.client_id)
    if row is None:
        row = Integration(client_id=keys.client_id, secret="", redirect_uri="")
    held = known_keys(resources, row)
    if held is None or held.secret != keys.secret:
        row.secret_at, row.proven_at, row.refused_at = resources.clock(), 0.0, 0.0
    row.secret = resources.vault.seal_text(keys.secret, secret_row(keys.client_id))
    row.redirect_uri, row.label = keys.redirect_uri, label[:100] or row.label
    session.add(row)
    return row


async def name_environments(session: AsyncSession, client_id: str) -> None:
    """Mark the integration that the environment names ('' = none); one that it named before becomes an ordinary one."""
    is_it = col(Integration.client_id) == client_id
    source = case((is_it, "environment"), else_="admin")
    await session.exec(
        update(Integration).where(or_(is_it, col(Integration.source) == "environment")).values(source=source)
    )


async def note(resources: Resources, row: Integration, who: str, what: str) -> None:
    """Audit an action on an integration, in a unit of work of its own."""
    async with resources.database.write() as session:
        session.add(_said(resources, row, who, what))


def _said(resources: Resources, row: Integration, who: str, what: str) -> Audit:
    named = {"client_id": row.client_id, "label": row.label}
    return Audit(at=resources.clock(), account_id=row.account_id, who=who, what=what, after=named)


async def remove_integration(resources: Resources, client_id: str, *, who: str) -> None:
    """Delete an integration and its secret; its accounts must be connected again. Raises ``RequestNotFound``."""
    async with resources.database.write() as session:
        row = await named_integration(session, client_id)
        if row is None:
            raise RequestNotFound(said("integration_unknown", id=repr(client_id[:60])))
        await sign_out(session, col(Account.client_id) == client_id)
        await session.exec(
            update(Account)
            .where(col(Account.client_id) == client_id, col(Account.state) == "connected")
            .values(state="reconnect", problem=str(said("integration_was_removed")))
        )
        session.add(_said(resources, row, who, "integration removed"))
        await session.delete(row)
