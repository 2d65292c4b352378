"""A Stripe key that arrives: what it may do, whose it is, and the connection it belongs to."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.lookup import account_of
from backend.accounts.stripe.connections import (
    connections_of,
    drain_others,
    is_live_key,
    key_of,
    key_row,
    one_at_a_time,
    seal_secrets,
    webhook_url,
)
from backend.accounts.stripe.webhook_endpoints import ensure_endpoint
from backend.core.errors import FieldInvalid, StripeUnreachable
from backend.core.signing import opaque_id
from backend.ledger.load import is_live
from backend.resources import Resources
from backend.storage.models import Account, Audit, CheckoutSession, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import KeyRefused, Refused, StripeApi, Unreachable
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_redraw, request_work

KEY = re.compile(r"[sr]k_(test|live)_[A-Za-z0-9_]{3,250}")
SESSIONS = ("rak_checkout_session_write", "/v1/checkout/sessions")
WEBHOOKS = ("rak_webhook_write", "rak_webhook_endpoint_write", "/v1/webhook_endpoints")
"""Without these nothing works, whatever Stripe calls them; the reads that are missing are told, to be added later."""
FULL_KEY = "This is a full secret key. A restricted key with the named permissions is enough, and safer."
MOST_ALIVE_FIRST = ("active", "draining", "removed")
UNREACHABLE = "Stripe did not answer. Nothing was changed; try again in a moment."


@dataclass(frozen=True, slots=True)
class Given:
    """A key, and signing secrets of an endpoint that somebody made by hand."""

    key: str = field(repr=False)
    secrets: Sequence[str] = field(repr=False)
    account_id: int | None

    @property
    def livemode(self) -> bool:
        return is_live_key(self.key)


async def put_stripe(resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """``{"api_key", "webhook_secret"?}`` → ``{"id", "livemode", "webhook_url", "missing_permissions"}``."""
    checked = Given(_key_of(given), _secrets_of(given), account_id)
    async with resources.database.read() as session:
        await account_of(session, account_id)
        connections = await connections_of(session, account_id)
    missing = await _missing_permissions(resources, checked)
    same = await rotated_connection(resources, connections, checked.key)
    connection = await _stored(resources, checked, same, who)
    try:
        await ensure_endpoint(resources, connection)
    except Unreachable as error:
        raise StripeUnreachable("The key is kept, but Stripe did not make the webhook. Try again.") from error
    answer = {
        "id": connection.id,
        "livemode": connection.livemode,
        "webhook_url": webhook_url(resources, connection.id),
        "missing_permissions": missing,
    }
    return answer | ({"warning": FULL_KEY} if checked.key.startswith("sk_") else {})


def _key_of(given: Mapping[str, Any]) -> str:
    key = given.get("api_key")
    if not isinstance(key, str) or not KEY.fullmatch(key.strip()):
        raise FieldInvalid("A Stripe key begins with rk_live_, rk_test_, sk_live_ or sk_test_.", field="api_key")
    return key.strip()


def _secrets_of(given: Mapping[str, Any]) -> list[str]:
    secret = given.get("webhook_secret")
    if secret is None:
        return []
    if not isinstance(secret, str) or not re.fullmatch(r"whsec_\S+", secret.strip()):
        raise FieldInvalid("A webhook's signing secret begins with whsec_.", field="webhook_secret")
    return [secret.strip()]


async def _missing_permissions(resources: Resources, given: Given) -> list[str]:
    """Call by call: Stripe's 403 names the box to tick. A call without parameters makes nothing."""
    try:
        missing = await _api(resources, given.key).missing_permissions()
    except KeyRefused as error:
        raise FieldInvalid(f"Stripe does not accept this key: {error.message}", field="api_key") from error
    except Unreachable as error:
        raise StripeUnreachable(UNREACHABLE) from error
    needed = [slug for slug in missing if slug in SESSIONS or (slug in WEBHOOKS and not given.secrets)]
    if needed:
        raise FieldInvalid(f"The key lacks permissions that are needed: {', '.join(needed)}.", field="api_key")
    return missing


async def rotated_connection(resources: Resources, connections: Iterable[StripeConnection], key: str) -> str | None:
    """The connection that this key is a rotation of: only the same Stripe account can read what is ours there.

    One that was removed is taken up again: its payments are known by it, and would be booked twice under another.
    """
    of_its_mode = [one for one in connections if one.livemode == is_live_key(key)]
    for connection in sorted(of_its_mode, key=lambda one: MOST_ALIVE_FIRST.index(one.state)):
        if key_of(resources, connection) == key or await _can_read_ours(resources, connection, key):
            return connection.id
    return None


async def _can_read_ours(resources: Resources, connection: StripeConnection, key: str) -> bool:
    """Our endpoint, or where it is gone or may not be read, the last session that we made there."""
    api = _api(resources, key)
    ours = [(api.endpoint, connection.endpoint_id), (api.session, await _last_session(resources, connection.id))]
    for read, stripe_id in ours:
        try:
            if stripe_id and await read(stripe_id):
                return True
        except Refused:
            continue
        except Unreachable as error:
            raise StripeUnreachable(UNREACHABLE) from error
    return False


async def _last_session(resources: Resources, connection_id: str) -> str | None:
    async with resources.database.read() as session:
        found = await session.exec(
            select(CheckoutSession.id)
            .where(CheckoutSession.connection_id == connection_id)
            .order_by(col(CheckoutSession.made_at).desc())
            .limit(1)
        )
        return found.first()


def _api(resources: Resources, key: str) -> StripeApi:
    return StripeApi(key, api_base=resources.addresses.stripe_api_base, http=resources.stripe_http)


@repeated
async def _stored(resources: Resources, given: Given, same: str | None, who: str) -> StripeConnection:
    async with account_unit(resources.database, given.account_id) as session:
        await one_at_a_time(session)
        same = same or await _just_made(resources, session, given)
        row = await store_connection(resources, session, given, same)
        what = "Stripe key rotated" if same else "Stripe connected"
        said = Audit(at=resources.clock(), account_id=given.account_id, who=who, what=what, after={"id": row.id})
        session.add(said)
        await request_work(session, given.account_id or 0)
    resources.work_arrived.set()
    return row


async def _just_made(resources: Resources, session: AsyncSession, given: Given) -> str | None:
    """By somebody who gave the same key in the same moment, as a second press of the button does."""
    others = await connections_of(session, given.account_id or 0)
    return next((one.id for one in others if key_of(resources, one) == given.key), None)


async def store_connection(
    resources: Resources, session: AsyncSession, given: Given, same: str | None
) -> StripeConnection:
    """The connection ``same`` with the new key, or a new one; the others of its mode drain.

    The first live one may end the account's test mode: then what tests left on its deals is looked at again.
    """
    before = await _mode(session, given.account_id)
    if same is None:
        row = StripeConnection(
            id=opaque_id(), account_id=given.account_id, livemode=given.livemode, heard_to=resources.clock()
        )
    else:
        row = await session.get_one(StripeConnection, same, with_for_update=True)
        row.account_id, row.state = given.account_id, "active"
    if given.key:
        row.api_key = resources.vault.seal_text(given.key, key_row(row.id))
    if given.secrets:
        row.given_secrets = [*seal_secrets(resources, row.id, given.secrets), *row.given_secrets][:2]
    session.add(row)
    await drain_others(session, row)
    await session.flush()
    if await _mode(session, given.account_id) != before:
        await request_redraw(session, given.account_id or 0)
    return row


async def _mode(session: AsyncSession, account_id: int | None) -> bool | None:
    """Live? None where no account is known yet."""
    account = await session.get(Account, account_id) if account_id else None
    return is_live(account, await connections_of(session, account.id)) if account else None
