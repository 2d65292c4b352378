"""Moves payments, requests and written rows of a merged deal to its survivor, in one unit of work: all or nothing,
once.

The row of ``merged_deal`` stays, so that later events of Stripe about the old deal go to the survivor at once.
"""

from typing import Any

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.sentences.said import said
from backend.deal_sync.merges.find import Survivor
from backend.ledger.absorb import absorb
from backend.storage.db import dialect_insert
from backend.storage.models import (
    Audit,
    BotStep,
    CardWrite,
    Deal,
    LedgerEntry,
    MergedDeal,
    PaymentRequest,
    StripeConnection,
)
from backend.work_queue.wakeups import mark_dirty


async def follow(session: AsyncSession, account_id: int, gone: int, survivor: Survivor, now: float) -> None:
    """Move everything of ``gone`` to the survivor. The unit of work must hold the account's ``account_work`` row.

    ``now``: epoch seconds.
    """
    await _remember(session, account_id, gone, survivor, now)
    await _lock_connections(session, account_id)
    requests = update(PaymentRequest).where(
        col(PaymentRequest.account_id) == account_id, col(PaymentRequest.lead_id) == gone
    )
    moved = (await session.exec(requests.values(lead_id=survivor.lead_id))).rowcount
    changed = await give_owners_again(session, account_id, gone)
    await mark_dirty(session, account_id, {*changed, survivor.lead_id} - {gone}, now)
    await _settle_deal(session, account_id, gone, survivor.lead_id)
    await _move_writes(session, account_id, gone, survivor.lead_id)
    await _move_bots(session, account_id, gone, survivor.lead_id)
    after = {"lead_id": survivor.lead_id, "proof": survivor.proof, "requests": moved}
    session.add(
        Audit(at=now, account_id=account_id, who="writer", what="deal merged", before={"lead_id": gone}, after=after)
    )


async def _remember(session: AsyncSession, account_id: int, gone: int, survivor: Survivor, now: float) -> None:
    """Record the merge. The survivor exists, so it has no row itself: rows form no cycle, and one step leads from each
    merged deal to its survivor."""
    mine = col(MergedDeal.account_id) == account_id
    await session.exec(delete(MergedDeal).where(mine, col(MergedDeal.lead_id) == survivor.lead_id))
    earlier = update(MergedDeal).where(mine, col(MergedDeal.survivor_id) == gone)
    await session.exec(earlier.values(survivor_id=survivor.lead_id))
    row = {"survivor_id": survivor.lead_id, "proof": survivor.proof, "found_at": now}
    insert = dialect_insert(session, MergedDeal).values(account_id=account_id, lead_id=gone, **row)
    await session.exec(
        insert.on_conflict_do_update(index_elements=["account_id", "lead_id"], set_={"survivor_id": survivor.lead_id})
    )


async def _lock_connections(session: AsyncSession, account_id: int) -> None:
    """Lock the connections before the requests, the lock order of every unit of work."""
    mine = select(StripeConnection.id).where(StripeConnection.account_id == account_id)
    await session.exec(mine.order_by(StripeConnection.id).with_for_update())


async def give_owners_again(session: AsyncSession, account_id: int, lead_id: int) -> set[int]:
    """Decide again to which deal each entry on this deal belongs; returns the deals that changed."""
    mine = (LedgerEntry.account_id == account_id, LedgerEntry.lead_id == lead_id)
    found = await session.exec(select(LedgerEntry.connection_id, LedgerEntry.id).where(*mine))
    entries = found.all()
    changed: set[int] = set()
    for connection_id in sorted({connection_id for connection_id, _ in entries}):
        connection = await session.get_one(StripeConnection, connection_id)
        again = [subject for of, subject in entries if of == connection_id]
        changed |= (await absorb(session, connection, (), again=again)).deals
    return changed


async def _settle_deal(session: AsyncSession, account_id: int, gone: int, survivor: int) -> None:
    """Mark the merged deal as gone and written: it has no payments of ours any more and is not looked up again."""
    mine = (col(Deal.account_id) == account_id, col(Deal.lead_id) == gone)
    quiet: dict[str, Any] = {"next_try_at": 0.0, "look_again_at": None, "audit_at": None, "missing_since": None}
    problem = said("deal_merged", id=str(survivor))
    await session.exec(update(Deal).where(*mine).values(state="gone", written=Deal.wanted, problem=problem, **quiet))


async def _move_writes(session: AsyncSession, account_id: int, gone: int, survivor: int) -> None:
    """Move the outbox rows to the survivor, where Kommo moved the notes and tasks: written ones are not repeated,
    doubtful ones are read back there.

    Of two rows about one fact the one that is further along stays.
    """
    theirs = await _writes(session, account_id, gone)
    there = {(write.kind, write.fact_id): write for write in await _writes(session, account_id, survivor)}
    for write in theirs:
        await session.delete(write)
    moving = [moved for write in theirs if (moved := _moved(write, survivor)) is not None]
    for write in moving:
        same = there.get((write.kind, write.fact_id))
        if same is not None and same.state == "intended" != write.state:
            await session.delete(same)
    await session.flush()
    kept = {key for key, write in there.items() if write in session}
    session.add_all(write for write in moving if (write.kind, write.fact_id) not in kept)


async def _move_bots(session: AsyncSession, account_id: int, gone: int, survivor: int) -> None:
    """Let bots that wait for the payment look at the survivor, at once: -1 is older than its revision."""
    mine = (col(BotStep.account_id) == account_id, col(BotStep.lead_id) == gone, col(BotStep.step) == "is_it_paid")
    unanswered = col(BotStep.state).in_(("new", "waiting"))
    await session.exec(update(BotStep).where(*mine, unanswered).values(lead_id=survivor, seen=-1))


async def _writes(session: AsyncSession, account_id: int, lead_id: int) -> list[CardWrite]:
    mine = (CardWrite.account_id == account_id, CardWrite.lead_id == lead_id)
    return list((await session.exec(select(CardWrite).where(*mine))).all())


def _moved(write: CardWrite, survivor: int) -> CardWrite | None:
    """The row for the survivor, or None. The person who merged the deals chose its stage, so the old deal's moves are
    over."""
    row = write.model_dump() | {"lead_id": survivor}
    if write.kind == "fields" or (write.kind == "stage" and write.state == "intended"):
        return None
    if write.kind == "stage":
        return CardWrite(**row | {"state": "done", "content": {"stayed": said("stays_merged")}})
    return CardWrite(**row | ({"state": "doubtful"} if write.state == "sent" else {}))
