"""Accepts a Stripe key: its permissions, its Stripe account, and the connection that it belongs to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.lookup import account_of
from backend.accounts.stripe.connections import (
    connections_of,
    drain_others,
    is_live_key,
    key_of,
    key_row,
    note_stripe,
    one_at_a_time,
    seal_secrets,
    webhook_url,
)
from backend.accounts.stripe.other_account import (
    AccountChange,
    account_change,
    change_audit,
    replaced_connection,
)
from backend.accounts.stripe.rotation import UNREACHABLE, api_with, rotated_connection
from backend.accounts.stripe.webhook_endpoints import ensure_endpoint
from backend.core.config import wrong_key
from backend.core.errors import Conflict, FieldInvalid, StripeUnreachable
from backend.core.sentences.said import said
from backend.core.signing import opaque_id
from backend.ledger.load import is_live
from backend.resources import Resources
from backend.storage.models import Account, Audit, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import KeyRefused, Unreachable
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_redraw, request_work

KEY = re.compile(r"[sr]k_(test|live)_[A-Za-z0-9_]{3,250}")
SESSIONS = ("rak_checkout_session_write", "/v1/checkout/sessions")
WEBHOOKS = ("rak_webhook_write", "rak_webhook_endpoint_write", "/v1/webhook_endpoints")
"""Required permissions, by each of Stripe's names. Missing read permissions are only reported, to be added later."""
FULL_KEY = said("stripe_full_key")


@dataclass(frozen=True, slots=True)
class Given:
    """A key, and the signing secrets of an endpoint that a person created."""

    key: str = field(repr=False)
    secrets: Sequence[str] = field(repr=False)
    account_id: int | None

    @property
    def livemode(self) -> bool:
        """True if the key is a live key."""
        return is_live_key(self.key)


@dataclass(frozen=True, slots=True)
class Step:
    """``same``: id of the connection that takes the key, None for a new one; ``change``: the confirmed change of
    account."""

    same: str | None
    change: AccountChange | None


async def put_stripe(resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """Connect a Stripe key: ``{"api_key", "webhook_secret"?, "confirm_account"?}`` → ``{"id", "livemode",
    "webhook_url", "missing_permissions", "warning"?}``.

    ``confirm_account`` names another Stripe account than the connected one; without it ``OtherStripeAccount`` is
    raised. Raises also ``FieldInvalid`` for a key that is wrong or lacks needed permissions, ``Conflict``,
    ``AccountNotFound`` and ``StripeUnreachable``.
    """
    checked = Given(_key_of(given), _secrets_of(given), account_id)
    async with resources.database.read() as session:
        await account_of(session, account_id)
        connections = await connections_of(session, account_id)
    missing = await _missing_permissions(resources, checked)
    same = await rotated_connection(resources, connections, checked.key)
    change = await account_change(resources, connections, same, checked.key)
    if change is not None and change.is_same_account:
        same, change = same or change.connection_id, None
    if change is not None:
        change.require(given.get("confirm_account"))
    connection = await _stored(resources, checked, Step(same, change), who)
    try:
        await ensure_endpoint(resources, connection)
    except Unreachable as error:
        raise StripeUnreachable(said("stripe_webhook_not_made")) from error
    answer = {
        "id": connection.id,
        "livemode": connection.livemode,
        "webhook_url": webhook_url(resources, connection.id),
        "missing_permissions": missing,
    }
    return answer | ({"warning": FULL_KEY} if checked.key.startswith("sk_") else {})


def _key_of(given: Mapping[str, Any]) -> str:
    key = given.get("api_key")
    if isinstance(key, str) and (wrong := wrong_key(key.strip())):
        raise FieldInvalid(said("key_is", wrong=wrong), field="api_key")
    if not isinstance(key, str) or not KEY.fullmatch(key.strip()):
        raise FieldInvalid(said("stripe_key_prefix"), field="api_key")
    return key.strip()


def _secrets_of(given: Mapping[str, Any]) -> list[str]:
    secret = given.get("webhook_secret")
    if secret is None:
        return []
    if not isinstance(secret, str) or not re.fullmatch(r"whsec_\S+", secret.strip()):
        raise FieldInvalid(said("webhook_secret_prefix"), field="webhook_secret")
    return [secret.strip()]


async def _missing_permissions(resources: Resources, given: Given) -> list[str]:
    """The missing permissions, found call by call: Stripe's 403 names the box to tick. A call without parameters
    creates nothing."""
    try:
        missing = await api_with(resources, given.key).missing_permissions()
    except KeyRefused as error:
        raise FieldInvalid(said("stripe_key_refused", reason=error.message), field="api_key") from error
    except Unreachable as error:
        raise StripeUnreachable(UNREACHABLE) from error
    needed = [slug for slug in missing if slug in SESSIONS or (slug in WEBHOOKS and not given.secrets)]
    if needed:
        raise FieldInvalid(said("stripe_key_lacks", permissions=", ".join(needed)), field="api_key")
    return missing


@repeated
async def _stored(resources: Resources, given: Given, step: Step, who: str) -> StripeConnection:
    async with account_unit(resources.database, given.account_id) as session:
        await one_at_a_time(session)
        same = step.same or await _just_made(resources, session, given)
        change = await _due_change(session, given, same, step.change)
        row = await store_connection(resources, session, given, same)
        session.add(_audit(resources, given, same, change, row.id, who))
        await request_work(session, given.account_id or 0)
    resources.work_arrived.set()
    if change is not None:
        change.log(given.account_id, who)
    return row


async def _due_change(
    session: AsyncSession, given: Given, same: str | None, change: AccountChange | None
) -> AccountChange | None:
    """The confirmed change, or None if an identical request made it already. Raises ``Conflict`` after another one."""
    found = replaced_connection(await connections_of(session, given.account_id or 0), same, livemode=given.livemode)
    if found is not None and (change is None or found.id != change.connection_id):
        raise Conflict(said("stripe_key_meanwhile"))
    return change if found is not None else None


def _audit(
    resources: Resources, given: Given, same: str | None, change: AccountChange | None, connection_id: str, who: str
) -> Audit:
    now = resources.clock()
    if change is not None:
        return change_audit(change, at=now, account_id=given.account_id, who=who, connection_id=connection_id)
    what = "Stripe key rotated" if same else "Stripe connected"
    return Audit(at=now, account_id=given.account_id, who=who, what=what, after={"id": connection_id})


async def _just_made(resources: Resources, session: AsyncSession, given: Given) -> str | None:
    """The id of a connection with the same key, created at the same moment (a second press of the button), or None."""
    others = await connections_of(session, given.account_id or 0)
    return next((one.id for one in others if key_of(resources, one) == given.key), None)


async def store_connection(
    resources: Resources, session: AsyncSession, given: Given, same: str | None
) -> StripeConnection:
    """The connection ``same`` with the new key, or a new connection; the others of its mode become draining.

    The first live one may end the account's test mode: then all deals with test payments are rewritten.
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
    if same is None:
        note_stripe(session, row)
    await drain_others(session, row)
    await session.flush()
    if await _mode(session, given.account_id) != before:
        await request_redraw(session, given.account_id or 0)
    return row


async def _mode(session: AsyncSession, account_id: int | None) -> bool | None:
    """True if the account is in live mode; None if no account is known yet."""
    account = await session.get(Account, account_id) if account_id else None
    return is_live(account, await connections_of(session, account.id)) if account else None
