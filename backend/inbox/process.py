"""Inbox → ledger, for one account: the events in their order of arrival, though no order is relied on."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import stripe_api
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen, Vault
from backend.facts import Fact
from backend.inbox.store import bury, finish, postpone, read_body, take
from backend.ledger.absorb import Absorbed, absorb
from backend.resources import Resources
from backend.storage.models import InboxEvent, LedgerEntry, LedgerLink, StripeConnection
from backend.stripe_api.client import Refused, Unreachable
from backend.stripe_api.events import (
    BadEvent,
    EventContext,
    facts_of,
    invoice_payment_facts,
    invoice_to_ask_for,
    whole_invoice_outside,
)
from backend.work_queue.leases import Claim, LeaseLost, fence
from backend.work_queue.wakeups import mark_dirty

CHUNK = 200
"""Events worked in with one commit: on SQLite the door waits for it, so it is kept short."""
OUTSIDE_AFTER_ATTEMPTS = 3
"""An invoice that is paid and still has no payment after so many look-ups was paid outside Stripe."""
NAMING = frozenset(("lead", "bare_lead"))
"""Facts that name a deal: an event with one of these is named where that deal turns out not to exist."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Understood:
    """What an event says. ``invoice``: its payments only Stripe can name."""

    event: InboxEvent
    facts: Sequence[Fact]
    invoice: Mapping[str, Any] | None
    told: EventContext

    @property
    def problem(self) -> str:
        if any(fact.name == "foreign" for fact in self.facts):
            return "it is marked for another Kommo account"
        return "; ".join(sorted({text for fact in self.facts if fact.name == "wrong" for text in fact.value}))


async def ingest(resources: Resources, claim: Claim) -> None:
    """Work in everything that is due, or what is begun where the process is being stopped."""
    while True:
        try:
            count = await _together(resources, claim, CHUNK)
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("events can't be worked in together, so each by itself", account=claim.account_id)
            count = await _one_by_one(resources, claim)
        if count < CHUNK or resources.stopping.is_set():
            return


async def _together(resources: Resources, claim: Claim, limit: int) -> int:
    now = resources.clock()
    look_ups: list[Understood] = []
    async with resources.database.write() as session:
        await fence(session, claim, now)
        events = await take(session, claim.account_id, now, limit)
        connections = {c.id: c for c in await _connections(session, claim.account_id)}
        for connection in connections.values():
            mine = [event for event in events if event.connection_id == connection.id]
            look_ups += await _work_in(session, resources.vault, connection, mine, now)
    for look_up in look_ups:
        await _look_up(resources, claim, connections[look_up.event.connection_id], look_up)
    return len(events)


async def _one_by_one(resources: Resources, claim: Claim) -> int:
    """One of them meets with a fault of ours. It is tried again on the schedule, for the fault may be mended."""
    for count in range(CHUNK):
        try:
            if not await _together(resources, claim, 1):
                return count
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception as error:
            await _set_aside(resources, claim, error)
    return CHUNK


async def _set_aside(resources: Resources, claim: Claim, error: Exception) -> None:
    """The one that is taken first, as it was a moment ago."""
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        for event in await take(session, claim.account_id, now, 1):
            log.error("event set aside", id=event.id, exc_info=error)
            postpone(event, now, f"Something is wrong here, not with the event: {type(error).__name__}; see the log.")
            session.add(event)


async def _connections(session: AsyncSession, account_id: int) -> list[StripeConnection]:
    found = await session.exec(
        select(StripeConnection).where(col(StripeConnection.account_id) == account_id).order_by(StripeConnection.id)
    )
    return list(found.all())


async def _work_in(
    session: AsyncSession, vault: Vault, connection: StripeConnection, events: Sequence[InboxEvent], now: float
) -> list[Understood]:
    """All in one unit of work, since merging cares for no order; those that need a look-up are returned."""
    account_id = connection.account_id or 0
    understood = [one for event in events if (one := _understand(vault, event, account_id)) is not None]
    absorbed = await absorb(session, connection, [fact for one in understood for fact in one.facts])
    await mark_dirty(session, account_id, absorbed.deals, now)
    look_ups = [one for one in understood if one.invoice and _is_ours(one, absorbed)]
    paid = await _with_payments(session, connection, [str(one.invoice["id"]) for one in look_ups if one.invoice])
    session.add_all(events)
    for one in understood:
        if not _is_ours(one, absorbed):
            finish(one.event, "foreign", one.problem)
        elif one.invoice and one.invoice["id"] not in paid:
            postpone(one.event, now, "the invoice's payment is not known yet")
        else:
            finish(one.event, "done", one.problem)
    return [one for one in look_ups if one.event.state == "postponed"]


def _understand(vault: Vault, event: InboxEvent, account_id: int) -> Understood | None:
    """None where that is all there is to do. What is wrong with an event stays with it and delays no other."""
    try:
        body = _body(vault, event)
        if body.get("account"):
            finish(event, "foreign", "it speaks of a connected account")
            return None
        facts = facts_of(body, account_id)
        invoice = body["data"]["object"] if invoice_to_ask_for(body) else None
    except BadEvent as error:
        bury(event, str(error))
        return None
    sources = [
        Fact(subject, "events", [event.id]) for subject in sorted({f.subject for f in facts if f.name in NAMING})
    ]
    crowd = [Fact(fact.subject, "crowd", True) for fact in facts if fact.name == "received" and event.source == "crowd"]
    return Understood(event, [*facts, *sources, *crowd], invoice, EventContext(body.get("created", 0), account_id))


def _body(vault: Vault, event: InboxEvent) -> Mapping[str, Any]:
    try:
        return read_body(vault, event)
    except (LookupError, CannotOpen, zlib.error, ValueError) as error:
        raise BadEvent(f"its body can't be read: {error}") from error


def _is_ours(one: Understood, absorbed: Absorbed) -> bool:
    return any(fact.subject in absorbed.ours for fact in one.facts)


async def _with_payments(session: AsyncSession, connection: StripeConnection, invoices: Iterable[str]) -> set[str]:
    """Those of ``invoices`` that have a payment already."""
    found = await session.exec(
        select(LedgerLink.parent)
        .join(
            LedgerEntry,
            (col(LedgerEntry.id) == LedgerLink.child) & (col(LedgerEntry.connection_id) == LedgerLink.connection_id),
        )
        .where(
            LedgerLink.connection_id == connection.id,
            col(LedgerLink.parent).in_(sorted(set(invoices))),
            LedgerEntry.kind == "payment",
        )
    )
    return set(found.all())


async def _look_up(resources: Resources, claim: Claim, connection: StripeConnection, look_up: Understood) -> None:
    """Ask Stripe, with no transaction open, and work in what it says. Too early or unreachable: again later."""
    invoice = look_up.invoice or {}
    try:
        rows = await stripe_api(resources, connection).invoice_payments(str(invoice["id"]))
        facts = [fact for row in rows for fact in invoice_payment_facts(row, look_up.told)]
    except (Unreachable, Refused, NotConnected, BadEvent) as error:
        log.warning("look-up failed", invoice=invoice["id"], reason=str(error))
        return  # it is postponed already
    if not rows and look_up.event.attempts > OUTSIDE_AFTER_ATTEMPTS:
        facts = list(whole_invoice_outside(invoice, look_up.told))
    if not facts:
        return
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        absorbed = await absorb(session, connection, facts)
        await mark_dirty(session, claim.account_id, absorbed.deals, now)
        event = await session.get(InboxEvent, (look_up.event.connection_id, look_up.event.id))
        if event is not None:
            finish(event, "done", look_up.problem)
            session.add(event)
