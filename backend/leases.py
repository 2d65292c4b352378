"""One worker an account at a time: claim, heartbeat, fence, release.

The lease is liveness, not exclusion: a process that slept past it may wake up and go on. So every outcome is fenced
by owner and epoch, and the epoch grows with each claim. Claiming reads ``wanted`` before the first look and
releasing writes the value it read as ``done``: whatever was wanted meanwhile is still wanted.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, and_, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.db import Database
from backend.models import AccountWork

LEASE_SECONDS = 30.0


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


async def claim(database: Database, owner: str, now: float) -> Claim | None:
    """The account that has waited for a worker, if there is one; None when all is done or taken."""
    async with database.read() as session:
        due = await session.exec(
            select(AccountWork)
            .where(
                AccountWork.lease_until < now,
                or_(
                    and_(col(AccountWork.wanted) > col(AccountWork.done), col(AccountWork.next_try_at) <= now),
                    and_(col(AccountWork.wake_at) > 0, col(AccountWork.wake_at) <= now),
                ),
            )
            .order_by(col(AccountWork.lease_until))
            .limit(20)
        )
        candidates = list(due.all())
    for work in candidates:
        taken = await _take(database, work, owner, now)
        if taken is not None:
            return taken
    return None


async def _take(database: Database, work: AccountWork, owner: str, now: float) -> Claim | None:
    """None when somebody was quicker."""
    statement = (
        update(AccountWork)
        .where(
            col(AccountWork.account_id) == work.account_id,
            col(AccountWork.epoch) == work.epoch,
            col(AccountWork.lease_until) < now,
        )
        .values(owner=owner, epoch=work.epoch + 1, lease_until=now + LEASE_SECONDS, wake_at=0.0)
        .returning(col(AccountWork.wanted), col(AccountWork.hold_until))
    )
    async with database.write() as session:
        taken = (await session.exec(statement)).first()
    return Claim(work.account_id, owner, work.epoch + 1, taken[0], taken[1]) if taken else None


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


async def heartbeat(database: Database, claim: Claim, now: float) -> None:
    async with database.write() as session:
        await fence(session, claim, now)


async def release(database: Database, claim: Claim, *, wake_at: float | None, hold_until: float | None = None) -> None:
    """Give the account back: all that was wanted when it was claimed is done. ``wake_at``: look again then.

    ``hold_until``: Kommo asked for patience, and new events do not shorten it.
    """
    held = {} if hold_until is None else {"hold_until": hold_until}
    async with database.write() as session:
        await _updated(
            session,
            update(AccountWork)
            .where(_mine(claim))
            .values(owner="", lease_until=0.0, done=claim.wanted, wake_at=wake_at or 0.0, **held),
        )


async def hand_back(database: Database, claim: Claim, *, next_try_at: float) -> None:
    """Give the account back undone: a failed job does not sit on its lease."""
    async with database.write() as session:
        await _updated(
            session,
            update(AccountWork)
            .where(_mine(claim))
            .values(owner="", lease_until=0.0, next_try_at=next_try_at, wake_at=next_try_at),
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
