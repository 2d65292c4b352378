"""The inbox: events as they came. Put in groups, taken one account at a time, kept with what became of them.

Many webhook requests wait together for one commit, and the wake-up is in that commit: the price of durability is
paid once a group, on SQLite and on PostgreSQL alike.
"""

import asyncio
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, text, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.clock import lies_ahead
from backend.core.vault import Vault
from backend.storage.db import Database, insert_missing
from backend.storage.models import InboxEvent, StripeConnection
from backend.storage.models.payments import UNFINISHED
from backend.storage.repeating import repeated
from backend.stripe_api.events import clean
from backend.stripe_api.signature import parse
from backend.work_queue.backoff import LONGEST_WAIT_SECONDS, gives_up, wait_after
from backend.work_queue.lock_order import account_unit, lock_account_work
from backend.work_queue.wakeups import request_work

GROUP = 500
DOOR_SECONDS = 8.0
"""A webhook that PostgreSQL does not store within this time is refused, and sent again by Stripe."""
WAITING = ("new", "postponed")
IS_UNFINISHED = text(f"inbox_event.{UNFINISHED}")
STATES = (*WAITING, "done", "foreign", "ignored", "dead")
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified event on its way in. ``state`` is ``new``, or ``ignored`` for what we do not react to;
    ``source`` as in ``InboxEvent``."""

    connection_id: str
    account_id: int | None
    id: str
    type: str
    api_version: str
    body: bytes
    state: str
    received_at: float
    source: str = "webhook"


def arrival_of(
    connection: StripeConnection,
    event: Mapping[str, Any],
    body: bytes,
    received_at: float,
    *,
    state: str = "new",
    source: str = "webhook",
) -> Arrival:
    """``event`` is what ``body`` holds."""
    return Arrival(
        connection_id=connection.id,
        account_id=connection.account_id,
        id=str(event["id"]),
        type=str(event["type"]),
        api_version=clean(str(event.get("api_version") or ""), 64),
        body=body,
        state=state,
        received_at=received_at,
        source=source,
    )


class Inbox:
    """``put`` returns after the commit. One task commits for all who wait; it lives while somebody does."""

    def __init__(self, database: Database, vault: Vault, arrived: asyncio.Event) -> None:
        self._database = database
        self._vault = vault
        self._arrived = arrived
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._committer: asyncio.Task[None] | None = None

    async def put(self, arrival: Arrival) -> None:
        """Durable when this returns. Raises what the database raised; where it said nothing for ``DOOR_SECONDS``, the
        arrival may be stored all the same."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, stored))
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_groups())
        async with self._database.bounded(DOOR_SECONDS):
            await stored

    async def _commit_groups(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            group = [(arrival, stored) for arrival, stored in group if not stored.done()]  # others were given up
            try:
                await self._commit([arrival for arrival, _ in group])
            except Exception as error:  # whoever waits hears of it; the next group has its own chance
                _settle(group, error)
            else:
                self._arrived.set()
                _settle(group, None)

    async def _commit(self, arrivals: Sequence[Arrival]) -> None:
        await self._store(arrivals)
        nobodys = {one.connection_id for one in arrivals if one.account_id is None and one.state == "new"}
        for account_id in await self._owners(nobodys):
            async with account_unit(self._database, account_id) as session:
                await request_work(session, account_id)

    @repeated
    async def _store(self, arrivals: Sequence[Arrival]) -> None:
        async with self._database.write(DOOR_SECONDS) as session:
            await store(session, self._vault, arrivals)

    async def _owners(self, connection_ids: Collection[str]) -> list[int]:
        """Accounts that took one of these connections since the door looked.

        Read after the events are committed: an account that takes one later finds them there.
        """
        if not connection_ids:
            return []
        async with self._database.read() as session:
            found = await session.exec(
                select(StripeConnection.account_id).where(col(StripeConnection.id).in_(connection_ids))
            )
            return sorted({account_id for account_id in found.all() if account_id is not None})


async def store(session: AsyncSession, vault: Vault, arrivals: Sequence[Arrival]) -> int:
    """The number of arrivals that were new. They are stored, and their accounts are woken in the same unit of work."""
    rows = {(arrival.connection_id, arrival.id): _row(vault, arrival) for arrival in arrivals}
    accounts = sorted({one.account_id for one in arrivals if one.state == "new" and one.account_id is not None})
    for account_id in accounts:
        await lock_account_work(session, account_id)
    count = await insert_missing(session, InboxEvent, [rows[key] for key in sorted(rows)])
    if count:
        for account_id in accounts:
            await request_work(session, account_id)
    return count


def _row(vault: Vault, arrival: Arrival) -> dict[str, Any]:
    row = body_row(arrival.connection_id, arrival.id)
    return {
        "connection_id": arrival.connection_id,
        "id": arrival.id,
        "type": arrival.type,
        "api_version": arrival.api_version,
        "body": vault.seal(zlib.compress(arrival.body, 1), row) if arrival.state == "new" else None,
        "received_at": arrival.received_at,
        "state": arrival.state,
        "source": arrival.source,
        "attempts": 0,
        "next_try_at": 0.0,
        "error": "",
    }


def _settle(group: Sequence[tuple[Arrival, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, stored in group:
        if stored.done():  # its request was given up meanwhile
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)


def body_row(connection_id: str, event_id: str) -> str:
    return f"inbox_event:{connection_id}:{event_id}:body"


def read_body(vault: Vault, event: InboxEvent) -> dict[str, Any]:
    """The event as Stripe sent it. Only events whose body was kept have one."""
    if event.body is None:
        raise LookupError(f"the body of {event.id} was not kept ({event.state})")
    packed = vault.open(event.body, body_row(event.connection_id, event.id))
    body: dict[str, Any] = parse(zlib.decompress(packed))
    return body


def is_waiting() -> ColumnElement[bool]:
    """True of events that are still to be worked in; by the index of what is unfinished."""
    return and_(IS_UNFINISHED, col(InboxEvent.state).in_(WAITING))


async def take(session: AsyncSession, account_id: int, now: float, limit: int = 200) -> list[InboxEvent]:
    """Events of this account that are due, oldest first."""
    found = await session.exec(
        select(InboxEvent)
        .join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id)
        .where(
            StripeConnection.account_id == account_id,
            is_waiting(),
            ~lies_ahead(col(InboxEvent.next_try_at), now, LONGEST_WAIT_SECONDS),
        )
        .order_by(col(InboxEvent.received_at), InboxEvent.id)
        .limit(limit)
    )
    return list(found.all())


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """When the next waiting event of this account is due."""
    found = await session.exec(
        select(func.min(InboxEvent.next_try_at))
        .join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id)
        .where(StripeConnection.account_id == account_id, is_waiting())
    )
    return found.one()


def finish(event: InboxEvent, state: str = "done", error: str = "") -> None:
    """It is worked in. Of a foreign event nothing personal stays: the body is dropped."""
    event.state, event.error = state, error
    if state == "foreign":
        event.body = None


def postpone(event: InboxEvent, now: float, reason: str) -> None:
    """Not yet: try again on the schedule, and give up after thirty days with the reason kept."""
    event.next_try_at, event.error = now + wait_after(event.attempts), reason[:LONGEST_REASON]
    event.state = "dead" if gives_up(event.attempts) else "postponed"
    event.attempts += 1


def bury(event: InboxEvent, reason: str) -> None:
    """It can't be used as it is; it stays, named with what is wrong, and can be replayed after a fix."""
    event.state, event.error = "dead", reason[:LONGEST_REASON]


async def replay(
    session: AsyncSession, event_ids: Sequence[str] = (), *, state: str = "", account_id: int | None = None
) -> int:
    """Work these events in again (all that have a body, if none are named); the number that will be. ``state``: only
    those in it. ``account_id``: only those of this account."""
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
