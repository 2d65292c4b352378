"""One worker per account at a time: claim, heartbeat, fence, release.

The lease is liveness, not exclusion: a process that slept past it may wake up and go on. So every outcome is fenced by
owner and epoch, and the epoch grows with each claim. Claiming reads ``wanted`` before the work begins and releasing
writes the value it read as ``done``: work requested meanwhile is still due.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Table, Update, and_, bindparam, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from backend.core.clock import lies_ahead
from backend.storage.db import Database
from backend.storage.models import Account, AccountWork
from backend.storage.plain_reads import PlainRead

WORK: Table = AccountWork.__table__  # type: ignore[attr-defined]
LEASE_SECONDS = 30.0
LATE_SECONDS = 2.5
"""Requests that a process sent before it died have arrived by then. A refresh that arrives after the next one, and
before that one's pair is used, may revoke it (docs/facts/kommo-api.md 2): the account would have to be connected again.
"""
LONGEST_LEASE_SECONDS = 2 * LEASE_SECONDS
"""A lease as seen by a host whose clock is behind the owner's: it does not take over from a live owner."""
LONGEST_HOLD_SECONDS = 305.0
"""The longest wait that Kommo may ask for with a 429, jitter included."""
LONGEST_WAKE_SECONDS = 900.0
"""An account with nothing to do until a later time gets a turn meanwhile."""
LONG_AGO = 1.0
"""A due ``wake_at``, because 0 there means that no wake-up is needed."""


class LeaseLost(Exception):
    """Another process has taken the account over, so this job may no longer write its result."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An account leased to ``owner``. ``wanted``: the revision of requested work at the claim."""

    account_id: int
    owner: str
    epoch: int
    wanted: int
    hold_until: float = 0.0
    """Until then (Unix seconds) nothing is written to Kommo; the ledger is still updated."""


async def claim(database: Database, owner: str, now: float, lock: int = 0) -> Claim | None:
    """Lease the account that has waited longest for a worker; None if no account is due or all are taken.

    ``now``: epoch seconds. ``lock``: number of the presence lock that the owner holds while it lives, by which others
    see that it died.
    """
    if await _ANY_DUE.first(database, now=now) is None:  # so that a poll without work takes no lock
        return None
    chosen = _due(now).with_for_update(skip_locked=True).scalar_subquery()  # SQLite neither has nor needs this clause
    taking = (
        update(AccountWork)
        .where(col(AccountWork.account_id) == chosen)
        .values(
            owner=owner,
            owner_lock=lock,
            epoch=AccountWork.epoch + 1,
            lease_until=now + LEASE_SECONDS,
            claimed_at=now,
        )
        .returning(
            col(AccountWork.account_id),
            col(AccountWork.epoch),
            col(AccountWork.wanted),
            col(AccountWork.hold_until),
        )
    )
    async with database.write() as session:
        taken = (await session.exec(taking)).first()
    return Claim(taken[0], owner, *taken[1:]) if taken else None


def _due(now: Any) -> SelectOfScalar[int]:
    """The next due account. ``wake_at`` stays set until release, so that it survives an owner's death."""
    return (
        select(AccountWork.account_id)
        .where(
            ~_leased(now),
            or_(
                and_(col(AccountWork.wanted) > col(AccountWork.done), ~_put_off(now)),
                and_(col(AccountWork.wake_at) > 0, ~_asleep(now)),
            ),
        )
        .order_by(col(AccountWork.claimed_at), col(AccountWork.account_id))
        .limit(1)
    )


def _leased(now: Any) -> ColumnElement[bool]:
    return lies_ahead(col(AccountWork.lease_until), now, LONGEST_LEASE_SECONDS)


def _put_off(now: Any) -> ColumnElement[bool]:
    return lies_ahead(col(AccountWork.next_try_at), now, LONGEST_HOLD_SECONDS)


def _asleep(now: Any) -> ColumnElement[bool]:
    return lies_ahead(col(AccountWork.wake_at), now, LONGEST_WAKE_SECONDS)


_ANY_DUE = PlainRead(_due(bindparam("now", type_=Float)))


async def held_locks(database: Database, now: float) -> set[int]:
    """The presence locks that owners of running leases and token refreshes claim to hold at ``now`` (epoch seconds)."""
    leases = select(AccountWork.owner_lock).where(_leased(now), col(AccountWork.owner_lock) != 0)
    refreshes = select(Account.refresh_owner).where(Account.refresh_until >= now, col(Account.refresh_owner) != 0)
    async with database.read() as session:
        found = [*(await session.exec(leases.distinct())).all(), *(await session.exec(refreshes.distinct())).all()]
    return set(found)


async def free(database: Database, dead: Collection[int], now: float) -> None:
    """Free the accounts and token-refresh turns of dead owners at once, without waiting for their leases.

    ``dead``: their presence locks. Requests that they sent may reach Kommo a moment later, so another refresh waits for
    ``LATE_SECONDS``.
    """
    async with database.write() as session:
        await session.exec(
            update(AccountWork)
            .where(col(AccountWork.owner_lock).in_(dead), col(AccountWork.lease_until) > 0)
            .values(owner="", owner_lock=0, lease_until=0.0)
        )
    async with database.write() as session:
        await session.exec(
            update(Account)
            .where(col(Account.refresh_owner).in_(dead), col(Account.refresh_until) > now + LATE_SECONDS)
            .values(refresh_owner=0, refresh_until=now + LATE_SECONDS)
        )


async def fence(session: AsyncSession, claim: Claim, now: float) -> None:
    """Extend the lease inside a unit of work, so that it commits only while the account is ours; else raise
    ``LeaseLost``.

    ``now``: epoch seconds. A late heartbeat does not revive a released lease (``lease_until`` 0).
    """
    connection = await session.connection()
    ours = {"ours": claim.account_id, "holder": claim.owner, "term": claim.epoch, "until": now + LEASE_SECONDS}
    if not (await connection.execute(_KEEP, ours)).rowcount:
        raise LeaseLost(f"account {claim.account_id}: another worker has taken over")


_KEEP = (
    update(WORK)
    .where(
        WORK.c.account_id == bindparam("ours"),
        WORK.c.owner == bindparam("holder"),
        WORK.c.epoch == bindparam("term"),
        WORK.c.lease_until > 0,
    )
    .values(lease_until=bindparam("until"))
)
_LEASE = PlainRead(
    select(AccountWork.lease_until).where(
        AccountWork.account_id == bindparam("account_id"),
        AccountWork.owner == bindparam("owner"),
        AccountWork.epoch == bindparam("epoch"),
    )
)


async def check(database: Database, claim: Claim, now: float) -> None:
    """Raise ``LeaseLost`` if the account is no longer ours. For use before a call that cannot be fenced.

    ``now``: epoch seconds. A lease that is about to run out is extended first, so that nobody takes over during the
    call.
    """
    found = await _LEASE.first(database, account_id=claim.account_id, owner=claim.owner, epoch=claim.epoch)
    until = found[0] if found else 0.0
    if until < now + LEASE_SECONDS / 2 or not lies_ahead(until, now, LONGEST_LEASE_SECONDS):
        await heartbeat(database, claim, now)


async def heartbeat(database: Database, claim: Claim, now: float) -> None:
    """Extend the lease from ``now`` (epoch seconds) in a unit of work of its own. Raises ``LeaseLost``."""
    async with database.write() as session:
        await fence(session, claim, now)


async def release(database: Database, claim: Claim, *, wake_at: float | None, hold_until: float | None = None) -> None:
    """Release the account: all work requested before the claim is done. Does nothing if the lease was lost.

    ``wake_at``: the account's next turn (Unix seconds), at once if that has passed, or None. ``hold_until``: Kommo
    asked us to wait; new events do not shorten it.
    """
    wake = 0.0 if wake_at is None else max(wake_at, LONG_AGO)
    held = {} if hold_until is None else {"hold_until": hold_until}
    async with database.write() as session:
        await _updated(
            session,
            update(AccountWork)
            .where(_mine(claim))
            .values(owner="", owner_lock=0, lease_until=0.0, done=claim.wanted, wake_at=wake, **held),
        )


async def hand_back(database: Database, claim: Claim, *, next_try_at: float) -> None:
    """Release the account undone after a failed job; the next try is at ``next_try_at`` (Unix seconds)."""
    async with database.write() as session:
        await _updated(
            session,
            update(AccountWork)
            .where(_mine(claim))
            .values(owner="", owner_lock=0, lease_until=0.0, next_try_at=next_try_at, wake_at=next_try_at),
        )


def _mine(claim: Claim) -> ColumnElement[bool]:
    return and_(
        col(AccountWork.account_id) == claim.account_id,
        col(AccountWork.owner) == claim.owner,
        col(AccountWork.epoch) == claim.epoch,
    )


async def _updated(session: AsyncSession, statement: Update) -> bool:
    result = await session.exec(statement)
    return bool(result.rowcount)
