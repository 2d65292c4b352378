"""Stores an integration's keys, or the operator's confirmation of an account. Wrong keys are not stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.install.activate import activate
from backend.accounts.install.confirm import confirm, confirmed_answers, unconfirmed
from backend.accounts.install.exchange import CodeRefused, KeysRefused, exchange
from backend.accounts.install.hosts import accounts_of, named_host, settings_host, usable
from backend.accounts.install.pending import OPERATOR, waiting_codes
from backend.accounts.install.use_codes import use_codes
from backend.accounts.integrations import Keys, given_keys, note, put_integration
from backend.accounts.lookup import account_of
from backend.core.errors import FieldInvalid, NotAllowed, ProductError
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import Account, Integration


@dataclass(frozen=True, slots=True)
class Added:
    """``problem``: why a pending installation did not connect the account; '' if it did, or if none was pending."""

    integration: Integration
    account: Account | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Given:
    keys: Keys
    label: str
    host: str
    """The base URL that the operator named and thereby confirmed, or ''."""


async def add_integration(resources: Resources, client_id: str, given: Mapping[str, Any], *, who: str) -> Added:
    """Store ``{"client_secret", "redirect_uri"?, "label"?, "code"?, "subdomain"?}`` unless Kommo refuses the keys.

    ``subdomain`` confirms the account, so that its pending installations connect; for a known integration it may come
    alone. Raises ``FieldInvalid`` for wrong keys or a wrong code, ``BadCallback`` and ``KommoUnreachable``.
    """
    keys = await given_keys(resources, client_id, given)
    code, label = given.get("code"), given.get("label") or ""
    for name, value in (("code", code or ""), ("label", label)):
        if not isinstance(value, str) or "\x00" in value:
            raise FieldInvalid(said("must_be_text", name=name), field=name)
    new = _Given(keys, label, named_host(resources, given["subdomain"]) if given.get("subdomain") else "")
    if code:
        added = await _with_code(resources, new, code.strip())
    else:
        if new.host:
            await confirm(resources, client_id, new.host, given["subdomain"])
        added = await _with_waiting(resources, new)
    await note(resources, added.integration, who, "integration kept")
    return added


async def replace_secret(resources: Resources, account_id: int, secret: str, *, who: str) -> Added:
    """Store the new secret of the account's own integration, given by its administrator.

    A secret signs for every account of its integration, so the secret of a shared one is the operator's to change.
    Raises ``AccountNotFound``, ``NotAllowed`` for a shared one, and as ``add_integration`` does.
    """
    async with resources.database.read() as session:
        account = await account_of(session, account_id, lock=False)
        integration = await session.get(Integration, account.client_id) if account.client_id else None
        if integration is None or not await is_own(session, integration, account_id):
            raise NotAllowed(said("integration_is_shared"))
    return await add_integration(resources, integration.client_id, {"client_secret": secret}, who=who)


async def is_own(session: AsyncSession, integration: Integration, account_id: int) -> bool:
    """Return True if the integration belongs to this account and connected no other."""
    others = [one for one in await accounts_of(session, integration.client_id) if one.id != account_id]
    return integration.account_id == account_id and not others


async def _with_code(resources: Resources, new: _Given, code: str) -> Added:
    base_url = new.host or await _known_host(resources, new.keys.client_id)
    try:
        answer = await exchange(resources, new.keys, base_url, code, origin=OPERATOR)
    except (KeysRefused, CodeRefused) as error:
        raise FieldInvalid(error.message, field=error.field or "code") from error
    await _put(resources, new, is_proven=True)  # first: if Kommo does not answer now, these keys activate it later
    account = await activate(resources, answer)
    return Added(await _put(resources, new, account, is_proven=True), account)


async def _with_waiting(resources: Resources, new: _Given) -> Added:
    """Connect pending installations. A fault of an old code does not refuse the keys; it becomes ``problem``."""
    waiting = await waiting_codes(resources, new.keys.client_id)
    good = await usable(resources, new.keys.client_id, waiting)
    account, is_proven, problem = None, False, unconfirmed(resources, [one for one in waiting if one not in good])
    try:
        for answer in await confirmed_answers(resources, new.keys.client_id):
            account = await activate(resources, answer)
        if good:
            account, is_proven = await use_codes(resources, new.keys, good), True
    except KeysRefused as error:
        raise FieldInvalid(error.message, field=error.field) from error
    except ProductError as error:
        problem = error.message
    return Added(await _put(resources, new, account, is_proven=is_proven), account, "" if account else problem)


async def _put(resources: Resources, new: _Given, account: Account | None = None, *, is_proven: bool) -> Integration:
    """Store the integration; its account is written only once. ``is_proven``: Kommo accepted the keys now."""
    async with resources.database.write() as session:
        row = await put_integration(resources, session, new.keys, label=new.label)
        row.base_url = new.host or row.base_url
        if is_proven:
            row.proven_at, row.refused_at = row.proven_at or resources.clock(), 0.0
        if row.account_id is None and account is not None:
            row.account_id = account.id
    return row


async def _known_host(resources: Resources, client_id: str) -> str:
    """The base URL for a code entered without a subdomain: the integration's known host, else the only one in the
    settings."""
    async with resources.database.read() as session:
        accounts = await accounts_of(session, client_id)
        integration = await session.get(Integration, client_id)
    known = accounts[0].base_url if accounts else (integration.base_url if integration else "")
    if base_url := known or settings_host(resources):
        return base_url
    raise FieldInvalid(said("subdomain_of_code"), field="subdomain")
