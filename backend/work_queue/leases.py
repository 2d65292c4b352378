"""One worker an account at a time: claim, heartbeat, fence, release.

The lease is liveness, not exclusion: a process that slept past it may wake up and go on. So every outcome is fenced
by owner and epoch, and the epoch grows with each claim. Claiming reads ``wanted`` before the first look and
releasing writes the value it read as ``done``: whatever was wanted meanwhile is still wanted.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, and_, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from backend.core.clock import lies_ahead
from backend.storage.db import Database
from backend.storage.models import Account, AccountWork

LEASE_SECONDS = 30.0
LATE_SECONDS = 1.0
"""What a process sent before it died has arrived by then."""
LONGEST_LEASE_SECONDS = 2 * LEASE_SECONDS
"""As seen by a host whose clock is behind the owner's: nobody takes over from an owner that lives."""
LONGEST_HOLD_SECONDS = 305.0
"""The longest that Kommo's requests for patience are followed, jitter included."""
LONGEST_WAKE_SECONDS = 900.0
"""An account that waits for a moment farther away is looked at meanwhile."""
LONG_AGO = 1.0
"""In ``wake_at`` 0 means: no need."""


class LeaseLost(Exception):
    """Somebody else has taken the account over: whatever this job was about to write is no longer ours to write."""


@dataclass(frozen=True, slots=True)
class Claim:
    account_id: int
    owner: str
    epoch: int
    wanted: int
    hold_until: float = 0.0
    """The writer waits until then; the ledger does not."""


async def claim(database: Database, owner: str, now: float, lock: int = 0) -> Claim | None:
    """The account that has waited for a worker, if there is one; None when all is done or taken.

    ``lock``: what the owner holds while it lives (``presence``), for others to see that it died.
    """
    async with database.read() as session:  # a poll that finds nothing takes no lock
        if (await session.exec(_due(now))).first() is None:
            return None
    chosen = _due(now).with_for_update(skip_locked=True).scalar_subquery()  # SQLite has no such words and no need
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


def _due(now: float) -> SelectOfScalar[int]:
    """``wake_at`` stays until the account is given back: who dies meanwhile leaves it to the next owner."""
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


def _leased(now: float) -> ColumnElement[bool]:
    return lies_ahead(col(AccountWork.lease_until), now, LONGEST_LEASE_SECONDS)


def _put_off(now: float) -> ColumnElement[bool]:
    return lies_ahead(col(AccountWork.next_try_at), now, LONGEST_HOLD_SECONDS)


def _asleep(now: float) -> ColumnElement[bool]:
    return lies_ahead(col(AccountWork.wake_at), now, LONGEST_WAKE_SECONDS)


async def held_locks(database: Database, now: float) -> set[int]:
    """What the owners of leases and of token refreshes that still run are said to hold."""
    leases = select(AccountWork.owner_lock).where(_leased(now), col(AccountWork.owner_lock) != 0)
    refreshes = select(Account.refresh_owner).where(Account.refresh_until >= now, col(Account.refresh_owner) != 0)
    async with database.read() as session:
        found = [*(await session.exec(leases.distinct())).all(), *(await session.exec(refreshes.distinct())).all()]
    return set(found)


async def free(database: Database, dead: Collection[int], now: float) -> None:
    """The owners who held these are dead: their accounts are anybody's, without waiting for the lease, and so are the
    turns to refresh a token. What they sent may reach Kommo a moment later: another refresh waits for that."""
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
    """Inside a unit of work: it is committed only if the account is still ours. Extends the lease, too.

    A lease that was given back (``lease_until`` 0) is not revived by a late heartbeat.
    """
    kept = await _updated(
        session,
        update(AccountWork)
        .where(_mine(claim), col(AccountWork.lease_until) > 0)
        .values(lease_until=now + LEASE_SECONDS),
    )
    if not kept:
        raise LeaseLost(f"account {claim.account_id}: another worker has taken over")


async def check(database: Database, claim: Claim, now: float) -> None:
    """Before a call that can't be fenced: raises ``LeaseLost`` where the account is no longer ours.

    A lease that is about to run out is extended first, so that nobody takes over while the call is made.
    """
    async with database.read() as session:
        until = (await session.exec(select(AccountWork.lease_until).where(_mine(claim)))).first() or 0.0
    if until < now + LEASE_SECONDS / 2 or not lies_ahead(until, now, LONGEST_LEASE_SECONDS):
        await heartbeat(database, claim, now)


async def heartbeat(database: Database, claim: Claim, now: float) -> None:
    async with database.write() as session:
        await fence(session, claim, now)


async def release(database: Database, claim: Claim, *, wake_at: float | None, hold_until: float | None = None) -> None:
    """Give the account back: all that was wanted when it was claimed is done. ``wake_at``: look again then, at once
    where that has passed.

    ``hold_until``: Kommo asked for patience, and new events do not shorten it.
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
    """Give the account back undone: a failed job does not sit on its lease."""
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
