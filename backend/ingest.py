"""Inbox → ledger, for one account: the events in their order of arrival, though no order is relied on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.connections import stripe_api
from backend.inbox import bury, finish, postpone, read_body, take
from backend.leases import Claim, fence
from backend.ledger.book import absorb
from backend.models import InboxEvent, LedgerEntry, LedgerLink, StripeConnection
from backend.resources import Resources
from backend.stripe_api.client import Refused, Unreachable
from backend.stripe_api.events import (
    BadEvent,
    Told,
    facts_of,
    invoice_payment_facts,
    needs_invoice_payments,
    outside_payment,
)
from backend.wakeups import mark_dirty

CHUNK = 50
"""Events worked in with one commit: on SQLite the door waits for it, so it is kept short."""
OUTSIDE_AFTER_ATTEMPTS = 3
"""An invoice that is paid and still has no payment after so many look-ups was paid outside Stripe."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LookUp:
    """An invoice of ours whose payments only Stripe can name."""

    event: InboxEvent
    invoice: Mapping[str, Any]
    told: Told


async def ingest(resources: Resources, claim: Claim) -> None:
    """Work in everything that is due."""
    while True:
        now = resources.clock()
        look_ups: list[LookUp] = []
        async with resources.database.write() as session:
            await fence(session, claim, now)
            events = await take(session, claim.account_id, now, CHUNK)
            connections = {c.id: c for c in await _connections(session, claim.account_id)}
            for event in events:
                look_up = await _work_in(session, resources, connections[event.connection_id], event, now)
                look_ups += [look_up] if look_up else []
        for look_up in look_ups:
            await _look_up(resources, claim, connections[look_up.event.connection_id], look_up)
        if len(events) < CHUNK:
            return


async def _connections(session: AsyncSession, account_id: int) -> list[StripeConnection]:
    found = await session.exec(select(StripeConnection).where(col(StripeConnection.account_id) == account_id))
    return list(found.all())


async def _work_in(
    session: AsyncSession, resources: Resources, connection: StripeConnection, event: InboxEvent, now: float
) -> LookUp | None:
    """One event, inside the caller's unit of work. What is wrong with it stays with it and delays no other."""
    session.add(event)
    try:
        body = read_body(resources.vault, event)
        if body.get("account"):  # Connect: it speaks of somebody else's account
            finish(event, "foreign")
            return None
        facts = facts_of(body, connection.account_id or 0)
        invoice_id = needs_invoice_payments(body)
    except BadEvent as error:
        bury(event, str(error))
        return None
    absorbed = await absorb(session, connection, facts)
    await mark_dirty(session, connection.account_id or 0, absorbed.deals, now)
    if not absorbed.ours:
        finish(event, "foreign")
    elif invoice_id and not await _has_payment(session, connection, invoice_id):
        postpone(event, now, "the invoice's payment is not known yet")
        return LookUp(event, body["data"]["object"], Told(body["created"], connection.account_id or 0))
    else:
        finish(event)
    return None


async def _has_payment(session: AsyncSession, connection: StripeConnection, invoice_id: str) -> bool:
    found = await session.exec(
        select(LedgerEntry.id)
        .join(LedgerLink, col(LedgerLink.child) == LedgerEntry.id)
        .where(
            col(LedgerEntry.connection_id) == connection.id,
            col(LedgerLink.connection_id) == connection.id,
            col(LedgerLink.parent) == invoice_id,
            col(LedgerEntry.kind) == "payment",
        )
        .limit(1)
    )
    return found.first() is not None


async def _look_up(resources: Resources, claim: Claim, connection: StripeConnection, look_up: LookUp) -> None:
    """Ask Stripe, with no transaction open, and work in what it says. Too early or unreachable: again later."""
    invoice_id = str(look_up.invoice["id"])
    try:
        rows = await stripe_api(resources, connection).invoice_payments(invoice_id)
    except (Unreachable, Refused) as error:
        log.warning("look-up failed", invoice=invoice_id, reason=str(error))
        return  # it is postponed already
    facts = [fact for row in rows for fact in invoice_payment_facts(row, look_up.told)]
    if not rows and look_up.event.attempts > OUTSIDE_AFTER_ATTEMPTS:
        paid_at = (look_up.invoice.get("status_transitions") or {}).get("paid_at") or look_up.told.created
        currency = str(look_up.invoice["currency"]).upper()
        facts = list(outside_payment(invoice_id, look_up.invoice["amount_paid"], currency, paid_at))
    if not facts:
        return
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        absorbed = await absorb(session, connection, facts)
        await mark_dirty(session, claim.account_id, absorbed.deals, now)
        event = await session.get(InboxEvent, (look_up.event.connection_id, look_up.event.id))
        if event is not None:
            finish(event)
            session.add(event)
