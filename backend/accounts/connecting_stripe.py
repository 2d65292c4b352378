"""A Stripe key given by an admin: what it may do, whose it is, and the connection it belongs to."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.admin import account_of
from backend.accounts.connections import (
    connections_of,
    ensure_endpoint,
    is_live_key,
    key_row,
    seal_secrets,
    webhook_url,
)
from backend.errors import FieldInvalid, StripeUnreachable
from backend.models import Audit, StripeConnection
from backend.resources import Resources
from backend.signing import opaque_id
from backend.stripe_api.client import KeyRefused, Refused, StripeApi, Unreachable
from backend.wakeups import want

NEEDED = ("rak_checkout_session_write", "rak_webhook_write")
"""Without these nothing works; the reads that are missing are told and can be added later."""
FULL_KEY = "This is a full secret key. A restricted key with the named permissions is enough, and safer."


async def put_stripe(resources: Resources, account_id: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """``{"api_key", "webhook_secret"?}`` → ``{"id", "livemode", "webhook_url", "missing_permissions"}``."""
    key, secret = _key_of(given), given.get("webhook_secret")
    if secret is not None and (not isinstance(secret, str) or not secret.startswith("whsec_")):
        raise FieldInvalid("A webhook's signing secret begins with whsec_.", field="webhook_secret")
    async with resources.database.write() as session:
        await account_of(session, account_id)
    api = StripeApi(key, api_base=resources.addresses.stripe_api_base, http=resources.stripe_http)
    missing = await _missing_permissions(api, endpoint_needed=secret is None)
    connection = await _stored(resources, account_id, key, secret, await _same_account(resources, account_id, api, key))
    if secret is None:
        await ensure_endpoint(resources, connection)
    answer = {
        "id": connection.id,
        "livemode": connection.livemode,
        "webhook_url": webhook_url(resources, connection.id),
        "missing_permissions": missing,
    }
    return answer | ({"warning": FULL_KEY} if key.startswith("sk_") else {})


def _key_of(given: Mapping[str, Any]) -> str:
    key = given.get("api_key")
    if not isinstance(key, str) or not key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        raise FieldInvalid("A Stripe key begins with rk_live_, rk_test_, sk_live_ or sk_test_.", field="api_key")
    return key


async def _missing_permissions(api: StripeApi, *, endpoint_needed: bool) -> list[str]:
    """Call by call: Stripe's 403 names the box to tick. A call without parameters makes nothing."""
    try:
        missing = await api.missing_permissions()
    except KeyRefused as error:
        raise FieldInvalid(f"Stripe does not accept this key: {error.message}", field="api_key") from error
    except Unreachable as error:
        raise StripeUnreachable("Stripe did not answer. Nothing was changed; try again in a moment.") from error
    needed = [slug for slug in missing if slug in NEEDED and (endpoint_needed or slug != "rak_webhook_write")]
    if needed:
        raise FieldInvalid(f"The key lacks permissions that are needed: {', '.join(needed)}.", field="api_key")
    return missing


async def _same_account(resources: Resources, account_id: int, api: StripeApi, key: str) -> str | None:
    """The connection that this key is a rotation of: only the same Stripe account can read our endpoint."""
    async with resources.database.read() as session:
        connections = await connections_of(session, account_id)
    for connection in connections:
        if connection.livemode != is_live_key(key) or not connection.endpoint_id:
            continue
        try:
            await api.endpoint(connection.endpoint_id)
        except Refused:
            continue
        except Unreachable as error:
            raise StripeUnreachable("Stripe did not answer. Nothing was changed; try again in a moment.") from error
        return connection.id
    return None


async def _stored(
    resources: Resources, account_id: int, key: str, secret: str | None, same: str | None
) -> StripeConnection:
    async with resources.database.write() as session:
        if same is None:
            await _drain(session, account_id, is_live_key(key))
            row = StripeConnection(id=opaque_id(), account_id=account_id, livemode=is_live_key(key))
        else:
            row = await session.get_one(StripeConnection, same)
            row.state = "active"
        row.api_key = resources.vault.seal_text(key, key_row(row.id))
        if secret is not None:
            row.given_secrets = [*seal_secrets(resources, row.id, [secret]), *row.given_secrets][:2]
        session.add(row)
        what = "Stripe key rotated" if same else "Stripe connected"
        session.add(Audit(at=resources.clock(), account_id=account_id, who="admin", what=what, after={"id": row.id}))
        await want(session, account_id)
    resources.work_arrived.set()
    return row


async def _drain(session: AsyncSession, account_id: int, livemode: bool) -> None:
    """The connections of this mode go on hearing webhooks and refunds, and make nothing new."""
    for connection in await connections_of(session, account_id):
        if connection.livemode == livemode and connection.state == "active":
            connection.state = "draining"
            session.add(connection)
