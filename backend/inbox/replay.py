"""Process all stored events again, in portions: webhooks and workers go on in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from sqlalchemy import ColumnElement, and_, func, tuple_, update
from sqlmodel import col, select

from backend.inbox.store import AGAIN
from backend.resources import Resources
from backend.storage.models import InboxEvent, StripeConnection
from backend.storage.repeating import repeated
from backend.work_queue.wakeups import request_work

PORTION = 500
PAUSE_SECONDS = 0.1
KEY = (col(InboxEvent.connection_id), col(InboxEvent.id))


async def replayable(resources: Resources, *, state: str = "", account_id: int | None = None, after: str = "") -> int:
    """Return the number of events with a stored body. ``state``: only events in it. ``account_id``: only those of this
    account. ``after``: only those after this place."""
    async with resources.database.read() as session:
        return (await session.exec(select(func.count()).where(_kept(state, account_id), _behind(after)))).one()


async def replay_all(resources: Resources, *, state: str = "", account_id: int | None = None) -> int:
    """Mark the stored events as new in portions and return their number; the values are those of ``replayable``."""
    portions = replay_portions(resources, state=state, account_id=account_id)
    return sum([number async for number, _ in portions])


async def replay_portions(
    resources: Resources, *, state: str = "", account_id: int | None = None, after: str = ""
) -> AsyncIterator[tuple[int, str]]:
    """Mark the stored events as new, portion by portion. Yield the number of events and the
    place where the portion ended. ``state``, ``account_id``: as for ``replayable``.

    A place is "connection/event"; passed as ``after`` it resumes an interrupted run.
    """
    while True:
        async with resources.database.read() as session:
            chosen = select(*KEY).where(_kept(state, account_id), _behind(after)).order_by(*KEY).limit(PORTION)
            keys = [(connection_id, event_id) for connection_id, event_id in (await session.exec(chosen)).all()]
        if not keys:
            return
        await _replay(resources, keys)
        resources.work_arrived.set()
        after = "/".join(keys[-1])
        yield len(keys), after
        await asyncio.sleep(PAUSE_SECONDS)


@repeated
async def _replay(resources: Resources, keys: Sequence[tuple[str, str]]) -> None:
    async with resources.database.write() as session:
        connections = {connection_id for connection_id, _ in keys}
        owners = select(StripeConnection.account_id).where(col(StripeConnection.id).in_(connections)).distinct()
        for account_id in sorted({one for one in (await session.exec(owners)).all() if one is not None}):
            await request_work(session, account_id)
        mine = col(InboxEvent.body).is_not(None) & tuple_(*KEY).in_(keys)
        await session.exec(update(InboxEvent).where(mine).values(**AGAIN))


def _kept(state: str, account_id: int | None) -> ColumnElement[bool]:
    kept: list[ColumnElement[bool]] = [col(InboxEvent.body).is_not(None)]
    if state:
        kept.append(col(InboxEvent.state) == state)
    if account_id is not None:
        mine = select(StripeConnection.id).where(StripeConnection.account_id == account_id)
        kept.append(col(InboxEvent.connection_id).in_(mine))
    return and_(*kept)


def _behind(after: str) -> ColumnElement[bool]:
    connection_id, _, event_id = after.partition("/")
    return tuple_(*KEY) > (connection_id, event_id)
