"""Process one account's events from the inbox into the ledger: in order of arrival,
though the result needs no order."""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import stripe_api
from backend.core.errors import NotConnected
from backend.core.sentences.said import said
from backend.core.telemetry.lines import milliseconds
from backend.core.vault import CannotOpen, Vault
from backend.facts import Fact
from backend.inbox.arrivals import read_body
from backend.inbox.store import bury, finish, is_any_due, postpone, take
from backend.ledger.absorb import Absorbed, absorb
from backend.ledger.invoice_sums import Unexplained
from backend.resources import Resources
from backend.storage.models import InboxEvent, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import Refused, Unreachable
from backend.stripe_api.events import (
    BadEvent,
    EventContext,
    facts_of,
    invoice_payment_facts,
    rest_outside_facts,
)
from backend.work_queue.leases import Claim, LeaseLost, fence
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty

CHUNK = 100
"""The number of events in one commit. On SQLite the webhook endpoint waits for it, so it is short."""
PAUSE_SECONDS = 0.003
"""The pause between two chunks, in which the webhook endpoint has the event loop to itself."""
OUTSIDE_AFTER_ATTEMPTS = 3
"""After this many look-ups, the unexplained part of a paid invoice counts as paid outside Stripe."""
LOOK_UPS = 10
"""The number of invoices that one event looks up in an attempt; the others wait for its next attempt."""
WAITS_FOR_INVOICE = said("invoice_payment_unknown")
NAMING = frozenset(("lead", "snapshot", "last_lead", "bare_lead"))
"""Facts that name a deal. If the deal does not exist, the events that brought such a fact get that reason."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Understood:
    """An event with the facts that it carries."""

    event: InboxEvent
    facts: Sequence[Fact]
    told: EventContext

    @property
    def subjects(self) -> frozenset[str]:
        """The Stripe ids of the objects that the facts are about."""
        return frozenset(fact.subject for fact in self.facts)

    @property
    def problem(self) -> str:
        """The reason why the event's marks could not be used, or ''."""
        if any(fact.name in ("foreign", "snapshot_foreign") for fact in self.facts):
            return "its metadata names another Kommo account"
        return "; ".join(sorted({text for fact in self.facts if fact.name == "wrong" for text in fact.value}))


@dataclass(frozen=True, slots=True)
class LookUp:
    """Invoices whose payments only a call to Stripe can name, and the event that waits for them."""

    source: Understood
    invoices: Sequence[Unexplained]


async def ingest(resources: Resources, claim: Claim) -> None:
    """Process all due events of the claimed account; after a stop request only the current chunk.

    Raises ``LeaseLost`` if another worker has the account, and the database's errors; a fault of ours sets only
    the event aside that causes it.
    """
    while True:
        try:
            count = await _together(resources, claim, CHUNK)
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("event batch failed", account=claim.account_id)
            count = await _one_by_one(resources, claim)
        if count < CHUNK or resources.stopping.is_set():
            return
        await asyncio.sleep(PAUSE_SECONDS)


async def ingest_more(resources: Resources, claim: Claim) -> None:
    """As ``ingest``, for a look in between: without a due event it takes no lock."""
    if await is_any_due(resources.database, claim.account_id, resources.clock()):
        await ingest(resources, claim)


async def _together(resources: Resources, claim: Claim, limit: int) -> int:
    now = resources.clock()
    look_ups: list[LookUp] = []
    async with resources.database.write() as session:
        await fence(session, claim, now)
        events = await take(session, claim.account_id, now, limit)
        connections = {c.id: c for c in await _connections(session, claim.account_id)}
        for connection in connections.values():
            mine = [event for event in events if event.connection_id == connection.id]
            look_ups += await _work_in(session, resources.vault, connection, mine, now)
    for look_up in look_ups:
        event = look_up.source.event
        job = partial(_look_up, resources, connections[event.connection_id], look_up)
        resources.beside.add(("look_ups", event.connection_id), event.id, job)
    return len(events)


async def _one_by_one(resources: Resources, claim: Claim) -> int:
    """Process the events one at a time after a fault of ours. The faulty one is tried again
    later: a release may fix it."""
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
    """Postpone the event that is taken first, which is the one that has just failed."""
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        for event in await take(session, claim.account_id, now, 1):
            log.error("event set aside", id=event.id, exc_info=error)
            postpone(event, now, said("event_fault_of_server", name=type(error).__name__))
            session.add(event)


async def _connections(session: AsyncSession, account_id: int) -> list[StripeConnection]:
    found = await session.exec(
        select(StripeConnection).where(col(StripeConnection.account_id) == account_id).order_by(StripeConnection.id)
    )
    return list(found.all())


async def _work_in(
    session: AsyncSession, vault: Vault, connection: StripeConnection, events: Sequence[InboxEvent], now: float
) -> list[LookUp]:
    """Process the events in one unit of work, since facts merge in any order. Return those that need a look-up."""
    account_id = connection.account_id or 0
    understood = [one for event in events if (one := _understand(vault, event, account_id)) is not None]
    again = {subject for one in understood if one.event.attempts for subject in one.subjects}
    facts = [fact for one in understood for fact in one.facts]
    told_by = {subject: _source(one.event, now) for one in reversed(understood) for subject in one.subjects}
    absorbed = await absorb(session, connection, facts, waiting=again, told_by=told_by)
    await mark_dirty(session, account_id, absorbed.deals, now)
    session.add_all(events)
    look_ups: list[LookUp] = []
    for one in understood:
        invoices = [each for each in absorbed.unexplained if each.line & one.subjects]
        if not _is_ours(one, absorbed):
            finish(one.event, "foreign", one.problem)
        elif invoices:
            postpone(one.event, now, WAITS_FOR_INVOICE)
            look_ups.append(LookUp(one, invoices[:LOOK_UPS]))
        else:
            finish(one.event, "done", one.problem)
    return [one for one in look_ups if one.source.event.state == "postponed"]


def _understand(vault: Vault, event: InboxEvent, account_id: int) -> Understood | None:
    """Return the event with its facts, or None if it is finished or unusable. A faulty event delays no other one."""
    try:
        body = _body(vault, event)
        if body.get("account"):
            finish(event, "foreign", said("event_of_platform"))
            return None
        facts = facts_of(body, account_id)
    except BadEvent as error:
        bury(event, str(error))
        return None
    sources = [
        Fact(subject, "events", [event.id]) for subject in sorted({f.subject for f in facts if f.name in NAMING})
    ]
    crowd = [Fact(fact.subject, "crowd", True) for fact in facts if fact.name == "received" and event.source == "crowd"]
    return Understood(event, [*facts, *sources, *crowd], EventContext(body.get("created", 0), account_id))


def understood_facts(vault: Vault, event: InboxEvent, account_id: int) -> Sequence[Fact]:
    """Return the facts of a stored event, as processing would read them. Raises
    ``BadEvent`` if its body is unusable."""
    return facts_of(_body(vault, event), account_id)


def _source(event: InboxEvent, now: float) -> Mapping[str, object]:
    """Return the log fields of a fact's source: the event's id and the milliseconds that it waited."""
    return {"told_by": event.id, "ms": milliseconds(now - event.received_at)}


def _body(vault: Vault, event: InboxEvent) -> Mapping[str, Any]:
    try:
        return read_body(vault, event)
    except (LookupError, CannotOpen, zlib.error, ValueError) as error:
        raise BadEvent(said("event_unreadable", reason=str(error))) from error


def _is_ours(one: Understood, absorbed: Absorbed) -> bool:
    return any(fact.subject in absorbed.ours for fact in one.facts)


async def _look_up(resources: Resources, connection: StripeConnection, look_up: LookUp) -> bool:
    """Fetch the invoices' payments from Stripe and merge them, outside the account's turn
    and without an open transaction.

    If it is too early or Stripe fails, the event is tried again later. False if Stripe does not answer: it would not
    answer the next look-up either.
    """
    source = look_up.source
    try:
        facts = [fact for each in look_up.invoices for fact in await _payments(resources, connection, each, source)]
    except (Unreachable, Refused, NotConnected, BadEvent) as error:
        log.warning("look-up failed", id=source.event.id, reason=str(error))
        return not isinstance(error, Unreachable)  # the event is postponed already
    if facts:
        await _work_in_payments(resources, connection, source, facts)
        resources.work_arrived.set()
    return True


@repeated
async def _work_in_payments(
    resources: Resources, connection: StripeConnection, source: Understood, facts: Sequence[Fact]
) -> None:
    """Merge the payments. No claim on the account is needed: facts merge in any order and from any process."""
    now, account_id = resources.clock(), connection.account_id or 0
    async with account_unit(resources.database, account_id) as session:
        told_by = {fact.subject: _source(source.event, now) for fact in facts}
        absorbed = await absorb(session, connection, facts, waiting=source.subjects, told_by=told_by)
        await mark_dirty(session, account_id, absorbed.deals, now)
        event = await session.get(InboxEvent, (source.event.connection_id, source.event.id))
        if event is not None and not any(each.line & source.subjects for each in absorbed.unexplained):
            finish(event, "done", source.problem)
            session.add(event)


async def _payments(
    resources: Resources, connection: StripeConnection, invoice: Unexplained, source: Understood
) -> list[Fact]:
    """Return the facts of the invoice's payments; after enough look-ups also of the rest, as paid outside Stripe."""
    rows = await stripe_api(resources, connection).invoice_payments(invoice.invoice)
    facts = [fact for row in rows for fact in invoice_payment_facts(row, source.told)]
    told = sum(fact.value[1] for fact in facts if fact.name == "received")
    if told < invoice.total[0] and source.event.attempts > OUTSIDE_AFTER_ATTEMPTS:
        at = source.told.created if invoice.paid_at is None else invoice.paid_at
        facts += rest_outside_facts(invoice.invoice, invoice.total, at)
    return facts
