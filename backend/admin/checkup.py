"""Checks for ``doctor``: each account at Kommo and each connection at Stripe is asked; nothing is changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from backend.accounts.install.pending import refused_tokens
from backend.accounts.install.waiting import Installation, waiting_installations
from backend.accounts.integrations import all_integrations, client_secret, secret_state
from backend.accounts.provisioning import known_fields
from backend.accounts.stripe.connections import stripe_api, webhook_url
from backend.accounts.stripe.webhook_endpoints import wrong_with
from backend.accounts.tokens.call import with_kommo
from backend.accounts.tokens.refresh import NEW_SETTINGS, no_account_there
from backend.admin.renewals import refused_renewal
from backend.admin.unseen import unseen_write
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen
from backend.kommo_api.deal_fields import DEAL_FIELDS, missing
from backend.kommo_api.errors import KommoError, KommoMoved, KommoNotFound
from backend.resources import Resources
from backend.storage.models import Account, Integration, StripeConnection
from backend.stripe_api.client import Refused, Unreachable
from backend.work_queue.clocks import clocks_apart

BY_ITSELF = "a running worker repairs it within the hour"
BY_HAND = "Create the deal by hand if needed, or let renewals stay on their deal; this is shown for 30 days."

SECRETS = {
    "saved": "its secret key is saved, and not tried yet",
    "works": "its secret key works",
    "refused": "Kommo refused its secret key: copy it again from the tab Keys and scopes",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. ``said``: the state, and what to do if it is not ok."""

    what: str
    is_well: bool
    said: str


async def examine(resources: Resources, *, by_token: bool = False) -> AsyncIterator[Finding]:
    """Yield the result of each check. ``by_token``: the environment names a long-lived token."""
    async with resources.database.read() as session:
        integrations = await all_integrations(session)
        accounts = (await session.exec(select(Account).order_by(col(Account.id)))).all()
        connections = (await session.exec(_in_use())).all()
    if apart := await clocks_apart(resources.database, resources.clock):
        yield Finding("clocks", False, apart)
    for integration in integrations:
        yield _integration(resources, integration)
    for installation in (await waiting_installations(resources)).shown:
        yield _installation(resources, installation)
    for token in await refused_tokens(resources):
        yield Finding("KOMMO_LONG_LIVED_TOKEN", False, token.problem)
    if not accounts:
        yield Finding("Kommo", False, f"no account is connected: {_first_step(resources, integrations, by_token)}")
    for account in accounts:
        async for finding in _account(resources, account):
            yield finding
    if not connections:
        yield Finding("Stripe", False, "no key is known: set STRIPE_API_KEY, or add a key on the set-up page")
    for connection in connections:
        async for finding in _connection(resources, connection):
            yield finding


def _in_use() -> SelectOfScalar[StripeConnection]:
    return select(StripeConnection).where(StripeConnection.state != "removed").order_by(StripeConnection.id)


def _first_step(resources: Resources, integrations: Sequence[Integration], by_token: bool) -> str:
    if by_token:
        return "`serve` connects by KOMMO_LONG_LIVED_TOKEN; where Kommo refuses it, that is told here"
    if not integrations:
        enter = f"enter the integration's keys at {resources.addresses.public_url}/admin/accounts"
        return f"{enter}, or run `kommo-stripe integrations add`"
    return f"install the integration, or open {_start(resources, integrations[0].client_id)}"


def _start(resources: Resources, client_id: str) -> str:
    return f"{resources.addresses.public_url}/oauth/kommo/start?{urlencode({'client_id': client_id})}"


def _integration(resources: Resources, integration: Integration) -> Finding:
    what = f"integration {integration.label or integration.client_id}"
    try:
        client_secret(resources, integration)
    except CannotOpen as error:
        return Finding(what, False, str(error))
    return Finding(what, not integration.refused_at, SECRETS[secret_state(integration)["state"]])


def _installation(resources: Resources, one: Installation) -> Finding:
    """Return the finding about a waiting installation. Anybody can cause one, so it is no error."""
    what = f"installation {one.client_id} at {', '.join(one.hosts)}"
    by_hand = f"give it at {resources.addresses.public_url}/admin/accounts"
    left = f"The code is good for {one.minutes} min more"
    if one.source == "environment":
        return Finding(what, False, f"{one.problem} {left}: correct the settings and start again, or {by_hand}.")
    if one.problem:
        return Finding(what, False, f"{one.problem} {left}: {by_hand}.")
    if not one.needs_key:
        yes = f"connect it at {resources.addresses.public_url}/admin/accounts if it is yours"
        return Finding(what, True, f"asks to connect. It is good for {one.minutes} min more: {yes}.")
    by_command = f"run `kommo-stripe integrations add {one.client_id}`"
    return Finding(what, True, f"waits for the integration's secret key. {left}: {by_hand}, or {by_command}.")


async def _account(resources: Resources, account: Account) -> AsyncIterator[Finding]:
    what = f"Kommo {account.subdomain or account.id}"
    try:
        await with_kommo(resources, account.id, lambda api: api.account())
        there = await with_kommo(resources, account.id, lambda api: api.custom_fields())
    except NotConnected:
        yield Finding(what, False, await _way_back(resources, account.id))
        return
    except (KommoNotFound, KommoMoved):
        yield Finding(what, False, no_account_there(account))
        return
    except (KommoError, CannotOpen) as error:
        yield Finding(what, False, str(error))
        return
    yield Finding(what, True, "Kommo answers to its token")
    lacking = missing(there, known_fields(account))
    if lacking:
        names = ", ".join(one.name for one in lacking)
        yield Finding(f"{what}: fields", False, f"missing: {names}; {BY_ITSELF}")
    else:
        yield Finding(f"{what}: fields", True, f"all {len(DEAL_FIELDS)} are there")
    if account.problem:
        yield Finding(f"{what}: set-up", False, account.problem)
    async with resources.database.read() as session:
        refused = await refused_renewal(session, account.id, resources.clock())
        unseen = await unseen_write(session, account.id, resources.clock())
    if refused:
        yield Finding(f"{what}: renewals", False, f"{refused} {BY_HAND}")
    if unseen:
        yield Finding(f"{what}: notes and tasks", False, unseen)


async def _way_back(resources: Resources, account_id: int) -> str:
    """Return why the account is not connected, as far as known, and what connects it."""
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
        integration = await session.get(Integration, account.client_id)
    if not account.token_expires_at:
        way = "" if NEW_SETTINGS in account.problem else NEW_SETTINGS
    elif integration is None:
        way = f"Run `kommo-stripe integrations add {account.client_id}`, then `doctor` again."
    else:
        way = f"Connect again: {_start(resources, account.client_id)}"
    return f"{account.state}: {account.problem} {way}".rstrip()


async def _connection(resources: Resources, connection: StripeConnection) -> AsyncIterator[Finding]:
    of = f"account {connection.account_id}" if connection.account_id else "no account yet"
    what = f"Stripe {'live' if connection.livemode else 'test'} of {of}"
    try:
        lacks = await stripe_api(resources, connection).missing_permissions()
    except (Refused, Unreachable, NotConnected, CannotOpen) as error:
        yield Finding(what, False, str(error))
        return
    if lacks:
        yield Finding(what, False, f"the key lacks {', '.join(lacks)}: tick them in Stripe, or give another key")
    else:
        yield Finding(what, True, "the key may do all that is needed")
    yield await _endpoint(resources, connection, f"{what}: webhook")


async def _endpoint(resources: Resources, connection: StripeConnection, what: str) -> Finding:
    if not connection.endpoint_id:
        by_hand = bool(connection.given_secrets)
        return Finding(what, by_hand, "made by hand" if by_hand else f"not made yet; {BY_ITSELF} once it is connected")
    try:
        endpoint = await stripe_api(resources, connection).endpoint(connection.endpoint_id)
    except (Refused, Unreachable) as error:
        return Finding(what, False, f"{error}; {BY_ITSELF}")
    wrong = wrong_with(endpoint, webhook_url(resources, connection.id))
    return Finding(what, not wrong, f"{', '.join(wrong)}; {BY_ITSELF}" if wrong else "it is as it should be")
