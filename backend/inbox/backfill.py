"""Fetch events that no webhook brought: Stripe retries a delivery for three days, and lists every event for thirty.

Once an hour that list is read from where the last reading ended, and events that the inbox lacks are stored as if they
had been delivered. So the money is recorded whatever kept its webhook from us: a server that was down for long, or an
endpoint that was deleted or that Stripe disabled. Sources: docs.stripe.com/webhooks, docs.stripe.com/api/events/list.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import structlog
from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select

from backend.accounts.stripe.connections import stripe_api
from backend.accounts.stripe.webhook_endpoints import EVENTS
from backend.core.clock import SKEW_SECONDS
from backend.core.errors import NotConnected
from backend.core.progress import Progress, unseen
from backend.core.vault import CannotOpen
from backend.inbox.arrivals import Arrival, arrival_of
from backend.inbox.store import store
from backend.resources import Resources
from backend.storage.models import Audit, InboxEvent, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import Answer, Refused, Unreachable
from backend.stripe_api.events import BadEvent, facts_of

EVERY_SECONDS = 3600.0
PATIENCE_SECONDS = 600.0
"""Younger events may still be delivered."""
KEPT_SECONDS = 30 * 86400.0
AT_ONCE_SECONDS = 86400.0
"""The time span whose missing events are held in memory."""
MANY_DEALS = 20
"""If payments of more deals than this were missed, stage moves are only offered: no rep expects so many deals to move
and bots to write to so many clients."""
BRING_MONEY = frozenset(("received", "paid"))
IDS_AT_ONCE = 500
PORTION = 500
"""The number of events that are stored with one commit."""
PAUSE_SECONDS = 0.1
"""The pause between two portions: on SQLite the webhook endpoint waits for each one."""
LOOK_BACK_SECONDS = 24 * 3600.0
"""How far the list is read again after the clock was set back."""

log = structlog.get_logger()


async def look_for_missed(resources: Resources) -> None:
    """Fetch the missed events of every connection, draining ones too, whose list was not read in the last hour.

    A connection that fails is logged and stays due for the next run.
    """
    now = resources.clock()
    due = now - PATIENCE_SECONDS - EVERY_SECONDS
    async with resources.database.read() as session:
        found = await session.exec(
            select(StripeConnection).where(
                col(StripeConnection.account_id).is_not(None),
                StripeConnection.api_key != "",
                or_(col(StripeConnection.heard_to) < due, _is_ahead(now)),
            )
        )
    for connection in found.all():
        try:
            await catch_up(resources, connection, _read_on(connection.heard_to, now))
        except (Refused, Unreachable, NotConnected, CannotOpen) as error:
            log.warning("event backfill failed", connection=connection.id, reason=str(error))


def _is_ahead(now: float) -> ColumnElement[bool]:
    return col(StripeConnection.heard_to) > now + SKEW_SECONDS


def _read_on(heard_to: float, now: float) -> float:
    """Return from when the list is read. A later time than now was stored by a clock that has been set back since."""
    return now - LOOK_BACK_SECONDS if heard_to > now + SKEW_SECONDS else heard_to or now


async def catch_up(
    resources: Resources, connection: StripeConnection, since: float, progress: Progress = unseen
) -> int:
    """Store the events since ``since`` (epoch seconds) that the inbox lacks, and return their number.

    Stripe lists no event older than thirty days. A run may be interrupted and repeated: known events are skipped.
    Raises ``Refused``, ``Unreachable``, ``NotConnected`` or ``CannotOpen``.
    """
    now = resources.clock()
    start, end = max(since, now - KEPT_SECONDS), now - PATIENCE_SECONDS
    begin = start
    deals: set[int] = set()
    count = 0
    while True:
        stop = max(min(start + AT_ONCE_SECONDS, end), start)
        missing = await _missing(resources, connection, start, stop)
        deals |= set(_deals_named(missing, connection.account_id or 0))
        count += await _take_in(resources, connection, missing, stop, "crowd" if len(deals) > MANY_DEALS else "list")
        progress(int(stop - begin), int(max(end, stop) - begin))
        if stop >= end:
            return count
        start = stop


async def _missing(resources: Resources, connection: StripeConnection, since: float, until: float) -> list[Answer]:
    if until <= since:
        return []
    listed = {str(event["id"]): event async for event in stripe_api(resources, connection).events(EVENTS, since, until)}
    ids = sorted(listed)
    async with resources.database.read() as session:
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = col(InboxEvent.id).in_(ids[start : start + IDS_AT_ONCE])
            here = select(InboxEvent.id).where(InboxEvent.connection_id == connection.id, some)
            for known in (await session.exec(here)).all():
                del listed[known]
    return list(listed.values())


def _deals_named(events: Sequence[Mapping[str, Any]], account_id: int) -> Iterator[int]:
    """Yield the Kommo ids of the deals to which these events bring money, as far as the events name them."""
    for event in events:
        try:
            facts = {fact.name: fact.value for fact in facts_of(event, account_id)}
        except BadEvent:  # the event's row gets the reason when it is processed
            continue
        if facts.keys() & {"foreign", "snapshot_foreign"} or not facts.keys() & BRING_MONEY:
            continue
        if "lead" in facts or "snapshot" in facts:
            yield int((facts.get("lead") or facts["snapshot"])[1])
        elif "bare_lead" in facts:
            yield int(facts["bare_lead"])


async def _take_in(
    resources: Resources, connection: StripeConnection, events: Sequence[Answer], until: float, source: str
) -> int:
    """Store the events in portions, with pauses. Only when all are stored, the list counts as read until ``until``."""
    now = resources.clock()
    count = 0
    for first in range(0, len(events), PORTION):
        some = events[first : first + PORTION]
        count += await _put(
            resources, [arrival_of(connection, one, orjson.dumps(one), now, source=source) for one in some]
        )
        await asyncio.sleep(PAUSE_SECONDS)
    async with resources.database.write() as session:
        mine = update(StripeConnection).where(col(StripeConnection.id) == connection.id)
        is_older = or_(col(StripeConnection.heard_to) < until, _is_ahead(now))
        await session.exec(mine.where(is_older).values(heard_to=until))
        if count:
            told = {"connection": connection.id, "events": count}
            what = "webhooks that did not arrive"
            session.add(Audit(at=now, account_id=connection.account_id, who="Stripe", what=what, after=told))
    if count:
        log.warning("missed webhooks found", **told)
    return count


@repeated
async def _put(resources: Resources, arrivals: Sequence[Arrival]) -> int:
    async with resources.database.write() as session:
        count = await store(session, resources.vault, arrivals)
    resources.work_arrived.set()
    return count
