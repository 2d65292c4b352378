"""Events that no webhook brought: Stripe tries for three days to deliver, and shows each in a list for thirty.

Once an hour that list is read on from where it was read last, and what the inbox lacks is put there as if it had been
delivered. So the money is booked whatever kept its webhook from us: a server that was away for long, an endpoint that
somebody deleted or that Stripe disabled. Sources: docs.stripe.com/webhooks, docs.stripe.com/api/events/list.
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
"""What is younger is on its way to us."""
KEPT_SECONDS = 30 * 86400.0
AT_ONCE_SECONDS = 86400.0
"""Of so much time the missing events are held in memory."""
MANY_DEALS = 20
"""Where payments of more deals than that were missed, nobody expects their stages to move and bots to write to so many
clients: the moves are offered."""
BRING_MONEY = frozenset(("received", "paid"))
IDS_AT_ONCE = 500
PORTION = 500
"""Events that are stored with one commit."""
PAUSE_SECONDS = 0.1
"""Between two portions: on SQLite the door waits for each."""
LOOK_BACK_SECONDS = 24 * 3600.0
"""How far the list is read again after the clock was set back."""

log = structlog.get_logger()


async def look_for_missed(resources: Resources) -> None:
    """Once an hour, each connection, a draining one too. What can't be asked is asked again in ten minutes."""
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
    """From where the list is read on. A place in the future was noted by a clock that has been set back since."""
    return now - LOOK_BACK_SECONDS if heard_to > now + SKEW_SECONDS else heard_to or now


async def catch_up(
    resources: Resources, connection: StripeConnection, since: float, progress: Progress = unseen
) -> int:
    """Put into the inbox what happened since then and is not in it; how many events that was.

    ``since`` in seconds; of what is older than thirty days Stripe knows nothing any more. May be ended at any moment
    and begun again: what is there is passed over.
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
    """The deals that these events bring money to, as far as they tell."""
    for event in events:
        try:
            facts = {fact.name: fact.value for fact in facts_of(event, account_id)}
        except BadEvent:  # it is told with the event, once it is worked in
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
    """In portions with a pause; only when all are stored, the list counts as read so far."""
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
