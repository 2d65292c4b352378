"""Intents before effects, and outcomes after them, in the database. Every unit of work here is fenced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.card.stages import Decision
from backend.db import dialect_insert
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.models import Account, CardWrite, Deal
from backend.writer.plan import IN_DOUBT, Plan

BATCH = 50
REFUSED_AGAIN_SECONDS = 1800.0
"""A deal that Kommo refuses for a reason we can't leave out: tried again twice an hour, with the reason shown."""


@dataclass(frozen=True)
class Page:
    """One batch of dirty deals, with all that deciding needs. ``seen``: lead → the revision that is being written."""

    account: Account
    seen: dict[int, int]
    ledgers: dict[int, DealLedger]
    writes: dict[int, list[CardWrite]]

    def in_doubt(self) -> list[CardWrite]:
        return [write for writes in self.writes.values() for write in writes if write.state in IN_DOUBT]


async def read_page(session: AsyncSession, account_id: int, now: float) -> Page | None:
    """The dirty deals that have waited longest, or None when there is nothing to do now."""
    found = await session.exec(
        select(Deal)
        .where(
            Deal.account_id == account_id,
            col(Deal.written) < col(Deal.wanted),
            col(Deal.next_try_at) <= now,
        )
        .order_by(col(Deal.dirty_since))
        .limit(BATCH)
    )
    deals = found.all()
    return await page_of(session, account_id, deals, now) if deals else None


async def page_of(session: AsyncSession, account_id: int, deals: Sequence[Deal], now: float) -> Page:
    account = await session.get_one(Account, account_id)
    leads = [deal.lead_id for deal in deals]
    written = await session.exec(
        select(CardWrite).where(CardWrite.account_id == account_id, col(CardWrite.lead_id).in_(leads))
    )
    writes: dict[int, list[CardWrite]] = {lead: [] for lead in leads}
    for write in written.all():
        writes[write.lead_id].append(write)
    return Page(
        account=account,
        seen={deal.lead_id: deal.wanted for deal in deals},
        ledgers=await load_deals(session, account, leads, now),
        writes=writes,
    )


async def touch_expired(session: AsyncSession, account_id: int, now: float) -> None:
    """Deals whose state time alone has changed are dirty again."""
    await session.exec(
        update(Deal)
        .where(col(Deal.account_id) == account_id, col(Deal.look_again_at) <= now)
        .values(wanted=Deal.wanted + 1, look_again_at=None, dirty_since=now)
    )


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """When the next dirty deal may be tried, or time alone changes one."""
    dirty = case((col(Deal.written) < col(Deal.wanted), col(Deal.next_try_at)))
    found = await session.exec(
        select(func.min(dirty), func.min(Deal.look_again_at)).where(col(Deal.account_id) == account_id)
    )
    moments = [moment for moment in found.one() if moment is not None]
    return min(moments, default=None)


async def intend(session: AsyncSession, account_id: int, plans: Iterable[Plan], epoch: int, now: float) -> None:
    """Rows before requests: the moves that the PATCH carries, the moves decided against, the notes to come."""
    for plan in plans:
        for goal, decision in plan.stages:
            moving = decision.status_id is not None and plan.move is not None
            content = _stayed(decision)
            if moving and plan.move is not None:
                content = {"pipeline": plan.move[0], "to": plan.move[1]}
            state = "sent" if moving else "done"
            await _put(session, account_id, plan.lead_id, "stage", goal.fact_id, content, state, epoch, now)
        for note in plan.notes:
            content = {"text": note.text, "marker": note.marker}
            await _put(session, account_id, plan.lead_id, "note", note.fact_id, content, "intended", epoch, now)


def _stayed(decision: Decision) -> dict[str, Any]:
    return {"stayed": decision.reason} | ({"offered": decision.offered} if decision.offered else {})


async def foresee(
    session: AsyncSession, account_id: int, plan: Plan, fields: Mapping[str, Any], epoch: int, now: float
) -> None:
    """In shadow mode everything stays an intent, fields as well: the plan makes them anew once it may write."""
    rows: list[tuple[str, str, dict[str, Any]]] = [("fields", "fields", dict(fields))] if fields else []
    for goal, decision in plan.stages:
        to = {"pipeline": plan.move[0], "to": plan.move[1]} if plan.move and decision.status_id else {}
        rows.append(("stage", goal.fact_id, to or _stayed(decision)))
    rows += [("note", note.fact_id, {"text": note.text, "marker": note.marker}) for note in plan.notes]
    rows += [("task", task.fact_id, {"text": task.text}) for task in plan.tasks]
    for kind, fact_id, content in rows:
        await _put(session, account_id, plan.lead_id, kind, fact_id, content, "intended", epoch, now)


async def put_task(
    session: AsyncSession, account_id: int, lead_id: int, fact_id: str, text: str, state: str, epoch: int, now: float,
    kommo_id: int | None = None,
) -> None:  # fmt: skip
    """A task's intent, and what became of it."""
    await _put(session, account_id, lead_id, "task", fact_id, {"text": text}, state, epoch, now, kommo_id)


async def close_task(session: AsyncSession, write: CardWrite) -> None:
    write.content = write.content | {"closed": True}
    await session.merge(write)


async def _put(
    session: AsyncSession,
    account_id: int,
    lead_id: int,
    kind: str,
    fact_id: str,
    content: dict[str, Any],
    state: str,
    epoch: int,
    now: float,
    kommo_id: int | None = None,
) -> None:
    row = {"content": content, "state": state, "epoch": epoch, "sent_at": now, "kommo_id": kommo_id}
    statement = dialect_insert(session, CardWrite).values(
        account_id=account_id, lead_id=lead_id, kind=kind, fact_id=fact_id, attempts=0, error="", **row
    )
    await session.exec(
        statement.on_conflict_do_update(index_elements=["account_id", "lead_id", "kind", "fact_id"], set_=row)
    )


async def mark(
    session: AsyncSession,
    account_id: int,
    lead_ids: Sequence[int],
    kind: str,
    *,
    old: Sequence[str],
    state: str,
    epoch: int,
    now: float | None = None,
    kommo_id: int | None = None,
) -> None:
    """Move intents of these deals from one of the ``old`` states to ``state``."""
    values: dict[str, Any] = {"state": state, "epoch": epoch}
    if now is not None:
        values["sent_at"] = now
    if kommo_id is not None:
        values["kommo_id"] = kommo_id
    await session.exec(
        update(CardWrite)
        .where(
            col(CardWrite.account_id) == account_id,
            col(CardWrite.lead_id).in_(lead_ids),
            col(CardWrite.kind) == kind,
            col(CardWrite.state).in_(old),
        )
        .values(**values)
    )


async def written(session: AsyncSession, page: Page, lead_ids: Iterable[int]) -> None:
    """These deals are as wanted, up to the revision that was read; what came since is still dirty."""
    for lead_id in lead_ids:
        await session.exec(
            update(Deal)
            .where(col(Deal.account_id) == page.account.id, col(Deal.lead_id) == lead_id)
            .values(
                written=page.seen[lead_id],
                attempts=0,
                next_try_at=0.0,
                problem="",
                state="known",
                look_again_at=page.ledgers[lead_id].next_change_at,
            )
        )


async def audit_at(session: AsyncSession, account_id: int, lead_ids: Iterable[int], at: float) -> None:
    """Something was written to these deals: it is looked at again then."""
    mine = (col(Deal.account_id) == account_id, col(Deal.lead_id).in_(list(lead_ids)))
    await session.exec(update(Deal).where(*mine).values(audit_at=at, audits=0))


async def postpone(session: AsyncSession, account_id: int, lead_id: int, at: float, problem: str = "") -> None:
    await session.exec(
        update(Deal)
        .where(col(Deal.account_id) == account_id, col(Deal.lead_id) == lead_id)
        .values(next_try_at=at, problem=problem, attempts=Deal.attempts + 1)
    )


async def gone(session: AsyncSession, page: Page, lead_id: int) -> None:
    """Kommo has no such deal: it is not asked again until something new is known; its payments are unmatched."""
    await session.exec(
        update(Deal)
        .where(col(Deal.account_id) == page.account.id, col(Deal.lead_id) == lead_id)
        .values(written=page.seen[lead_id], state="gone", next_try_at=0.0, problem="The deal does not exist in Kommo.")
    )
