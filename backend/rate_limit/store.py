"""The rows of the rate limiter. Each change is one statement: the first statement to run takes the slot."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Float, bindparam, case, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.clock import SKEW_SECONDS, lies_ahead
from backend.storage.db import Database
from backend.storage.models.rate_limits import ADDRESS, Rate
from backend.storage.plain_reads import PlainRead
from backend.storage.plain_writes import PlainWrite

FARTHEST_SECONDS = 120.0
"""No queue is this long: a time farther away was written by a clock that was set back since."""
LONGEST_HOLD_SECONDS = 301.0
"""The longest wait that Kommo may ask for, jitter included."""
PROBE_SECONDS = 30.0
FIRST_CALLS = 3
"""Calls that need not wait for each other after a silence: enough to read a deal, write it, and post its note."""
SILENCE_SECONDS = 1.2
"""Longer than the second in which Kommo counts, its jitter included."""
NO_SILENCE = 0.0
"""``awake_since`` of a row whose clock was set back: how long nothing was sent is unknown."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A request may go at ``at``, the next one at ``next_at`` (Unix seconds).

    The other values are the state of the row: ``hold_until`` of a 429, ``refusals`` in a row, and block and next probe.
    """

    at: float
    next_at: float
    hold_until: float
    refusals: int
    blocked_at: float
    probe_at: float


def first_calls_seconds(interval: float) -> float:
    """How far behind the first slot after a silence a slot is used at once: three in all, fewer if so many are not
    allowed in a second.
    """
    return min((FIRST_CALLS - 0.5) * interval, 1 - interval / 2)


def _taking(insert: Any) -> Any:
    """Take the next slot: ``next_at`` of the row moves on by ``interval`` from there, or from now."""
    now, interval = bindparam("now", type_=Float), bindparam("interval", type_=Float)
    next_at, awake_since = col(Rate.next_at), col(Rate.awake_since)
    taken = lies_ahead(next_at, now, FARTHEST_SECONDS)
    near = (next_at <= now + bindparam("ahead", type_=Float)) | (
        (next_at >= awake_since) & (next_at < awake_since + bindparam("first_calls", type_=Float))
    )
    values = {"hold_until": 0.0, "refusals": 0, "blocked_at": 0.0, "probe_at": 0.0}
    return (
        insert.values(account_id=bindparam("row"), next_at=now + interval, awake_since=now, **values)
        .on_conflict_do_update(
            index_elements=["account_id"],
            set_={
                "next_at": case((taken, next_at), else_=now) + interval,
                "awake_since": case(
                    (next_at - interval + bindparam("silence", type_=Float) <= now, now),
                    (~taken & (awake_since > now), NO_SILENCE),
                    else_=awake_since,
                ),
            },
            where=~taken | near,
        )
        .returning(Rate.awake_since, Rate.next_at, Rate.hold_until, Rate.refusals, Rate.blocked_at, Rate.probe_at)
    )


_TAKE = PlainWrite(Rate, _taking)


async def take(database: Database, row: int, interval: float, now: float, ahead: float) -> Slot | None:
    """Take and return the next free slot, or None if it begins more than ``ahead`` seconds from now.

    ``row``: account id, or ``ADDRESS``; ``interval``: seconds between slots. The slots next to the first one after a
    silence begin at once. Still no second holds more calls than there are slots in it: the silence before it was as
    long, and a later slot begins no earlier than its place in the row (docs/decisions/0033).
    """
    first_calls = first_calls_seconds(interval)
    silence = SILENCE_SECONDS + (0.0 if database.is_sqlite else SKEW_SECONDS)  # the last call may be another host's
    words = {"row": row, "interval": interval, "now": now, "ahead": ahead}
    taken = await _TAKE.first(database, **words, first_calls=first_calls, silence=silence)
    if taken is None:
        return None
    awake_since, next_at, *state = taken
    at = next_at - interval
    return Slot(min(at, now) if 0 <= at - awake_since < first_calls else at, next_at, *state)


_STATE = PlainRead(
    select(Rate.hold_until, Rate.refusals, Rate.blocked_at, Rate.probe_at).where(Rate.account_id == bindparam("row"))
)


async def as_it_stands(database: Database, row: int, slot: Slot) -> Slot:
    """The slot with the current hold, refusals and block of its row, or ``slot`` itself if the row is gone."""
    found = await _STATE.first(database, row=row)
    return Slot(slot.at, slot.next_at, *found) if found else slot


async def put_off(session: AsyncSession, row: int, slot: Slot, interval: float, now: float) -> Slot | None:
    """The slot as used late, at ``now`` (epoch seconds); None if another caller has taken the next one.

    The next slot begins ``interval`` seconds later, but never earlier than before: one of the first calls after a
    silence uses its slot ahead of its place.
    """
    late = replace(slot, at=now, next_at=max(slot.next_at, now + interval))
    free = update(Rate).where(col(Rate.account_id) == row, col(Rate.next_at) == slot.next_at)
    return late if (await session.exec(free.values(next_at=late.next_at))).rowcount else None


async def next_at(session: AsyncSession, row: int) -> float:
    """When the next slot of the row is free, in Unix seconds; 0.0 without a row."""
    return (await session.exec(select(Rate.next_at).where(Rate.account_id == row))).first() or 0.0


async def hold(session: AsyncSession, account_id: int, until: float, now: float) -> None:
    """Record a 429 of this account: no request before ``until``, and one more refusal. A longer hold stays.

    ``until`` and ``now``: epoch seconds.
    """
    runs = lies_ahead(col(Rate.hold_until), now, LONGEST_HOLD_SECONDS)
    longer = case((runs & (col(Rate.hold_until) > until), col(Rate.hold_until)), else_=until)
    held = update(Rate).where(col(Rate.account_id) == account_id)
    await session.exec(held.values(hold_until=longer, refusals=Rate.refusals + 1))


async def pause(session: AsyncSession, until: float, now: float) -> None:
    """Delay the address's next slot to ``until``: it is unknown whether Kommo counts by account or by address.

    ``until`` and ``now``: epoch seconds.
    """
    later = lies_ahead(col(Rate.next_at), now, FARTHEST_SECONDS) & (col(Rate.next_at) >= until)
    late = update(Rate).where(col(Rate.account_id) == ADDRESS, ~later)
    await session.exec(late.values(next_at=until))


async def forgiven(session: AsyncSession, account_id: int) -> None:
    """Reset the account's count of refusals."""
    await session.exec(update(Rate).where(col(Rate.account_id) == account_id).values(refusals=0))


async def block(session: AsyncSession, now: float) -> bool:
    """Record that Kommo blocks our address since ``now`` (Unix seconds); True for the first caller to record it."""
    free = update(Rate).where(col(Rate.account_id) == ADDRESS, col(Rate.blocked_at) == 0)
    return bool((await session.exec(free.values(blocked_at=now, probe_at=now + PROBE_SECONDS))).rowcount)


async def probe(session: AsyncSession, now: float) -> bool:
    """Claim the due probe of the block: True for the one caller that may send a request at ``now`` (Unix seconds).

    The next probe is due ``PROBE_SECONDS`` later. False without a block.
    """
    waits = lies_ahead(col(Rate.probe_at), now, PROBE_SECONDS)
    due = update(Rate).where(col(Rate.account_id) == ADDRESS, col(Rate.blocked_at) > 0, ~waits)
    return bool((await session.exec(due.values(probe_at=now + PROBE_SECONDS))).rowcount)


async def unblock(session: AsyncSession) -> None:
    """Record that the block of our address has ended."""
    await session.exec(update(Rate).where(col(Rate.account_id) == ADDRESS).values(blocked_at=0.0, probe_at=0.0))


async def blocked_at(session: AsyncSession) -> float:
    """Since when Kommo blocks our address, in Unix seconds; 0 if it does not."""
    return (await session.exec(select(Rate.blocked_at).where(Rate.account_id == ADDRESS))).first() or 0.0
