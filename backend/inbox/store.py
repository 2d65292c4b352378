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
    """Return the account's due events, oldest first. ``now``: epoch seconds."""
    found = await session.exec(
        _due(select(InboxEvent), account_id, now).order_by(col(InboxEvent.received_at), InboxEvent.id).limit(limit)
    )
    return list(found.all())


def _due(events: Any, account_id: Any, now: Any) -> Any:
    """``events``, a selection of ``InboxEvent``, with the condition that they are the account's and due."""
    return events.join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id).where(
        StripeConnection.account_id == account_id,
        is_waiting(),
        ~lies_ahead(col(InboxEvent.next_try_at), now, LONGEST_WAIT_SECONDS),
    )


ANY_DUE = PlainRead(_due(select(InboxEvent.id), bindparam("account_id", 0), bindparam("now", 0.0)).limit(1))
"""With a value for each, because SQLAlchemy expands the list of states only then."""


async def is_any_due(database: Database, account_id: int, now: float) -> bool:
    """Return True if ``take`` would find an event. ``now``: epoch seconds."""
    return await ANY_DUE.first(database, account_id=account_id, now=now) is not None


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """Return when the account's next waiting event is due, in epoch seconds; None if none waits."""
    found = await session.exec(
        select(func.min(InboxEvent.next_try_at))
        .join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id)
        .where(StripeConnection.account_id == account_id, is_waiting())
    )
    return found.one()


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


async def replay(
    session: AsyncSession, event_ids: Sequence[str] = (), *, state: str = "", account_id: int | None = None
) -> int:
    """Mark events with a stored body as new, wake their accounts, and return the number of events.

    ``event_ids``: only these, else all. ``state``: only those in it. ``account_id``: only those of this account.
    """
    kept: ColumnElement[bool] = col(InboxEvent.body).is_not(None)
    if state:
        kept &= col(InboxEvent.state) == state
    if account_id is not None:
        mine = select(StripeConnection.id).where(StripeConnection.account_id == account_id)
        kept &= col(InboxEvent.connection_id).in_(mine)
    chosen = col(InboxEvent.id).in_(event_ids) if event_ids else kept
    concerned = select(InboxEvent.connection_id).where(chosen, kept).distinct()
    found = await session.exec(select(StripeConnection.account_id).where(col(StripeConnection.id).in_(concerned)))
    for account in sorted({one for one in found.all() if one is not None}):
        await request_work(session, account)
    result = await session.exec(
        update(InboxEvent).where(chosen, kept).values(state="new", next_try_at=0.0, attempts=0, error="")
    )
    return int(result.rowcount)
