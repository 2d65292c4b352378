"""What a set-up page shows of an account: read from our database, and the names of its users from Kommo."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connections_of
from backend.accounts.stripe.other_account import recent_changes
from backend.admin.accounts import list_accounts
from backend.admin.events import troubled_events
from backend.admin.stage_moves import offered_moves
from backend.admin.unmatched import unmatched
from backend.admin.users import Team, proposed_name, team_of
from backend.core.money import Money
from backend.core.money import shown as money_shown
from backend.kommo_api.values import INCOMING
from backend.payments.deal.summary import look_at_deal
from backend.payments.merchant import Merchant, merchant_of
from backend.resources import Resources
from backend.storage.models import Account, Audit, CardWrite, Deal, InboxEvent, WidgetSeen
from backend.web.http.schemas import DealAnswer, May, deal_answer

PERMISSIONS = (
    "rak_checkout_session_write", "rak_webhook_write", "rak_payment_intent_read", "rak_charge_read",
    "rak_invoice_read", "rak_subscription_read", "rak_dispute_read", "rak_event_read",
)  # fmt: skip
"""Ticked in Stripe's form by its address; refunds are read by the right to read charges (docs/facts/stripe.md F1)."""
CHANGES = 10
OURSELVES = ("writer", "set-up")


@dataclass(frozen=True)
class PageState:
    """``row`` is the account as the admin API lists it; ``pipelines`` with only the stages a deal can be moved to."""

    account: Account
    row: dict[str, Any]
    pipelines: list[dict[str, Any]]
    unmatched: list[dict[str, Any]]
    events: list[InboxEvent]
    changes: list[Audit]
    account_changes: list[Audit]
    """Another Stripe account took over, in the last 30 days: told to everybody who sees the page."""
    seen: WidgetSeen | None
    team: Team
    proposed_name: str
    """Of the business, for its clients; empty where Kommo can't be asked."""
    merchant: "Preview"


@dataclass(frozen=True)
class Preview:
    """What clients see of the business. ``unnamed``: its name while the admin gives none; ``example`` is an amount."""

    shown: Merchant
    unnamed: str
    example: str


@dataclass(frozen=True)
class LookedUp:
    lead_id: int
    answer: DealAnswer
    deal: Deal | None
    writes: list[CardWrite]
    offered: str
    """The stage that the deal may be moved to, where that waits for a person."""
    language: str
    """That of the explanation."""


async def shown(resources: Resources, account_id: int) -> PageState | None:
    rows = await list_accounts(resources, only=account_id)
    if not rows:
        return None
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
        events = await troubled_events(session, account_id)
        changes = await _changes(session, account_id)
        account_changes = await recent_changes(session, account_id, resources.clock())
        seen = await session.get(WidgetSeen, account_id)
        preview = await _preview(session, account)
    mine = await unmatched(resources, only=account_id)
    team, name = await asyncio.gather(team_of(resources, account_id), proposed_name(resources, account_id))
    stages = _pipelines(account)
    return PageState(account, rows[0], stages, mine, events, changes, account_changes, seen, team, name, preview)


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


async def _changes(session: AsyncSession, account_id: int) -> list[Audit]:
    """What people changed, newest first; what we did by ourselves is not among it."""
    theirs = (Audit.account_id == account_id, col(Audit.who).not_in(OURSELVES))
    return list((await session.exec(select(Audit).where(*theirs).order_by(col(Audit.id).desc()).limit(CHANGES))).all())


async def look_up(resources: Resources, account_id: int, lead_id: int, language: str) -> LookedUp:
    """What the deal card would say, what was written to Kommo, and what waits."""
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
        seen = await look_at_deal(session, account, lead_id, resources.clock(), language)
        deal = await session.get(Deal, (account_id, lead_id))
        writes = await session.exec(
            select(CardWrite).where(CardWrite.account_id == account_id, CardWrite.lead_id == lead_id)
        )
        moves = await offered_moves(session, account_id, lead_id)
    rights = May(create=True, refund=False)
    answer = deal_answer(seen, resources.addresses.public_url, may=rights)
    offered = _stage_name(account, moves[-1].content["offered"]) if moves else ""
    return LookedUp(lead_id, answer, deal, list(writes.all()), offered, language)


def _stage_name(account: Account, status_id: int) -> str:
    statuses = (status for pipeline in account.pipelines for status in pipeline["statuses"])
    return next((str(status["name"]) for status in statuses if status["id"] == status_id), str(status_id))


def key_form(mode: str) -> str:
    """Stripe's own form for a restricted key, with what we need ticked."""
    wanted = [("name", "Kommo deal card"), *(("permissions[]", slug) for slug in PERMISSIONS)]
    return f"https://dashboard.stripe.com/{'' if mode == 'live' else 'test/'}apikeys/create?{urlencode(wanted)}"
