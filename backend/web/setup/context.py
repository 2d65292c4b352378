"""Data of a topic's page: the account from our database, its users' names from Kommo."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.install.add_integration import is_own
from backend.accounts.integrations import named_integration, secret_state
from backend.accounts.stripe.connections import connections_of
from backend.accounts.stripe.other_account import recent_changes
from backend.admin.accounts import list_accounts
from backend.admin.users import Team, proposed_name, team_of
from backend.core.money import Money
from backend.core.money import shown as money_shown
from backend.kommo_api.values import INCOMING
from backend.payments.merchant import Merchant, merchant_of
from backend.resources import Resources
from backend.storage.models import Account, Audit, WidgetSeen

PERMISSIONS = (
    "rak_checkout_session_write", "rak_webhook_write", "rak_payment_intent_read", "rak_charge_read",
    "rak_invoice_read", "rak_subscription_read", "rak_dispute_read", "rak_event_read",
)  # fmt: skip
"""Ticked in Stripe's form by its URL; the right to read charges covers refunds (docs/facts/stripe.md F1)."""


@dataclass(frozen=True)
class Shown:
    """An account's data for a topic's page.

    ``row``: as the admin API lists it; ``pipelines``: only stages to which a deal can move.
    """

    account: Account
    row: dict[str, Any]
    pipelines: list[dict[str, Any]]
    account_changes: list[Audit]
    """Changes of the Stripe account in the last 30 days, shown to everybody who sees the page."""
    seen: WidgetSeen | None
    team: Team
    proposed_name: str
    """The business's name for its clients; empty if Kommo can't be asked."""
    merchant: "Preview"
    secret: dict[str, Any] | None
    """How the integration's secret stands, and whether an administrator may replace it; None without an integration."""


@dataclass(frozen=True)
class Preview:
    """The business as clients see it. ``unnamed``: the name used while the admin gives none; ``example``: an amount."""

    shown: Merchant
    unnamed: str
    example: str


async def shown(resources: Resources, account_id: int) -> Shown | None:
    """Return the data of a topic's page; None if the account is not connected here."""
    rows = await list_accounts(resources, only=account_id)
    if not rows:
        return None
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
        account_changes = await recent_changes(session, account_id, resources.clock())
        seen = await session.get(WidgetSeen, account_id)
        preview = await _preview(session, account)
        secret = await _secret(session, account)
    team, name = await asyncio.gather(team_of(resources, account_id), proposed_name(resources, account_id))
    stages = _pipelines(account)
    return Shown(account, rows[0], stages, account_changes, seen, team, name, preview, secret)


async def _secret(session: AsyncSession, account: Account) -> dict[str, Any] | None:
    integration = await named_integration(session, account.client_id)
    if integration is None:
        return None
    is_theirs = await is_own(session, integration, account.id)
    return secret_state(integration) | {"is_own": is_theirs, "source": integration.source}


async def _preview(session: AsyncSession, account: Account) -> Preview:
    connections = await connections_of(session, account.id)
    active = next((one for one in connections if one.state == "active"), None)
    merchant = merchant_of(account, active, is_test=False)
    unnamed = (active.label if active else "") or account.subdomain or str(account.id)
    return Preview(merchant, unnamed, money_shown(Money(12000, account.currency or "USD"), "en"))


def _pipelines(account: Account) -> list[dict[str, Any]]:
    return [
        one | {"statuses": [status for status in one["statuses"] if status.get("type") != INCOMING]}
        for one in account.pipelines
    ]


def key_form(mode: str) -> str:
    """Return the URL of Stripe's form for a restricted key with the needed permissions ticked; ``mode`` is live or
    test.
    """
    wanted = [("name", "Kommo deal card"), *(("permissions[]", slug) for slug in PERMISSIONS)]
    return f"https://dashboard.stripe.com/{'' if mode == 'live' else 'test/'}apikeys/create?{urlencode(wanted)}"
