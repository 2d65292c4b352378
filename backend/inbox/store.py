"""The inbox in the database: events as they arrived, taken one account at a time, and the outcome of each."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, text, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.clock import lies_ahead
from backend.core.vault import Vault
from backend.inbox.arrivals import Arrival, group_of
from backend.storage.db import Database, insert_missing
from backend.storage.models import InboxEvent, StripeConnection
from backend.storage.models.payments import UNFINISHED
from backend.storage.plain_reads import PlainRead
from backend.work_queue.backoff import LONGEST_WAIT_SECONDS, gives_up, wait_after
from backend.work_queue.lock_order import lock_account_work
from backend.work_queue.wakeups import request_work

WAITING = ("new", "postponed")
IS_UNFINISHED = text(f"inbox_event.{UNFINISHED}")
STATES = (*WAITING, "done", "foreign", "ignored", "dead")
LONGEST_REASON = 500
AGAIN = {"state": "new", "next_try_at": 1.0, "attempts": 0, "error": ""}
"""A replayed event. ``next_try_at`` is later than the 0 of a fresh event: a payment waits for no replay of old ones."""


async def store(session: AsyncSession, vault: Vault, arrivals: Sequence[Arrival]) -> int:
    """Store the new ones of these arrivals, wake their accounts in the same unit of work, and return their number."""
    group = group_of(vault, arrivals)
    for account_id in group.accounts:
        await lock_account_work(session, account_id)
    count = await insert_missing(session, InboxEvent, group.rows)
    if count:
        for account_id in group.accounts:
            await request_work(session, account_id)
    return count


def is_waiting() -> ColumnElement[bool]:
    """Return the SQL condition for events that are still to be processed; it uses the index of unfinished events."""
    return and_(IS_UNFINISHED, col(InboxEvent.state).in_(WAITING))


async def take(session: AsyncSession, account_id: int, now: float, limit: int = 200) -> list[InboxEvent]:
    """Return the account's due events: first the fresh ones in the order of arrival, then the replayed ones, then those
    that were tried before. ``now``: epoch seconds.

    The order is that of the index, so the cost of a chunk does not grow with the number of events that wait.
    """
    connections = (await session.exec(_with_due_events(account_id, now))).all()
    if not connections:
        return []
    if len(connections) == 1:
        first = _in_order(select(InboxEvent), connections[0], now).limit(limit)
        return list((await session.exec(first)).all())
    keys = [key for one in connections for key in await _first_keys(session, one, now, limit)]
    chosen = {(connection_id, event_id) for *_, event_id, connection_id in sorted(keys)[:limit]}
    found: list[InboxEvent] = []
    for one in connections:
        ids = [event_id for connection_id, event_id in chosen if connection_id == one]
        mine = (InboxEvent.connection_id == one, col(InboxEvent.id).in_(ids))
        found += (await session.exec(select(InboxEvent).where(*mine))).all() if ids else ()
    return sorted(found, key=lambda event: (event.next_try_at, event.received_at, event.id))


def _with_due_events(account_id: Any, now: Any) -> Any:
    """The account's connections with a due event. Each is looked up in the index by an ORDER BY with LIMIT, because a
    join would read all events that wait, those of other accounts too."""
    mine = select(StripeConnection.id).where(StripeConnection.account_id == account_id)
    return mine.where(_first(_is_due(select(InboxEvent.id), now)).is_not(None))


def _first(events: Any) -> Any:
    """The first of ``events``, a selection of one column, in the enclosing statement's connection."""
    mine = events.where(InboxEvent.connection_id == StripeConnection.id).order_by(col(InboxEvent.next_try_at))
    return mine.limit(1).correlate(StripeConnection).scalar_subquery()


async def _first_keys(session: AsyncSession, connection_id: str, now: float, limit: int) -> Sequence[Any]:
    key = (InboxEvent.next_try_at, InboxEvent.received_at, InboxEvent.id, InboxEvent.connection_id)
    found: Sequence[Any] = (await session.exec(_in_order(select(*key), connection_id, now).limit(limit))).all()
    return found


def _in_order(events: Any, connection_id: str, now: float) -> Any:
    """``events`` with the condition that they are due, in the order in which they are taken."""
    order = (col(InboxEvent.next_try_at), col(InboxEvent.received_at), col(InboxEvent.id))
    return _is_due(events, now).where(InboxEvent.connection_id == connection_id).order_by(*order)


def _is_due(events: Any, now: Any) -> Any:
    return events.where(is_waiting(), ~lies_ahead(col(InboxEvent.next_try_at), now, LONGEST_WAIT_SECONDS))


ANY_DUE = PlainRead(_with_due_events(bindparam("account_id", 0), bindparam("now", 0.0)).limit(1))
"""With a value for each, because SQLAlchemy expands the list of states only then."""


async def is_any_due(database: Database, account_id: int, now: float) -> bool:
    """Return True if ``take`` would find an event. ``now``: epoch seconds."""
    return await ANY_DUE.first(database, account_id=account_id, now=now) is not None


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """Return when the account's next waiting event is due, in epoch seconds; None if none waits."""
    soonest = func.min(_first(select(InboxEvent.next_try_at).where(is_waiting())))
    mine = select(soonest).where(StripeConnection.account_id == account_id)
    found: float | None = (await session.exec(mine)).one()
    return found


def finish(event: InboxEvent, state: str = "done", error: str = "") -> None:
    """Mark an event as processed. A foreign event loses its body, so that nothing personal of others is kept."""
    event.state, event.error = state, error
    if state == "foreign":
        event.body = None


def postpone(event: InboxEvent, now: float, reason: str) -> None:
    """Let an event be tried again after ``now`` (epoch seconds). After thirty days it is ``dead``, with the reason
    kept.
    """
    event.next_try_at, event.error = now + wait_after(event.attempts), reason[:LONGEST_REASON]
    event.state = "dead" if gives_up(event.attempts) else "postponed"
    event.attempts += 1


def bury(event: InboxEvent, reason: str) -> None:
    """Mark an event as ``dead`` because its body is unusable. It is kept with the reason, and
    can be replayed after a fix."""
    event.state, event.error = "dead", reason[:LONGEST_REASON]


async def replay(session: AsyncSession, event_ids: Sequence[str], *, account_id: int | None = None) -> int:
    """Mark these events as new if their bodies are stored, wake their accounts, and return the number of events.

    ``account_id``: only those of this account.
    """
    connections = select(StripeConnection.id, StripeConnection.account_id)
    if account_id is not None:
        connections = connections.where(StripeConnection.account_id == account_id)
    owners = dict((await session.exec(connections)).all())
    here = (col(InboxEvent.connection_id).in_(select(connections.subquery().c.id)), col(InboxEvent.id).in_(event_ids))
    kept = col(InboxEvent.body).is_not(None)
    concerned = await session.exec(select(InboxEvent.connection_id).where(*here, kept).distinct())
    for account in sorted({owner for one in concerned.all() if (owner := owners[one]) is not None}):
        await request_work(session, account)
    result = await session.exec(update(InboxEvent).where(*here, kept).values(**AGAIN))
    return int(result.rowcount)
