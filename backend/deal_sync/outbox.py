"""Intents before effects, and what became of them: one row for each note, task and stage move."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.deal_sync.desired.stages import Decision
from backend.deal_sync.plan import Plan
from backend.storage.db import dialect_insert
from backend.storage.models import CardWrite

CARD_WRITE: Table = CardWrite.__table__  # type: ignore[attr-defined]


async def enqueue(session: AsyncSession, account_id: int, plans: Iterable[Plan], epoch: int, now: float) -> None:
    """Rows before requests: the moves that the PATCH carries, the moves decided against, the notes to come."""
    rows: list[dict[str, Any]] = []
    for plan in plans:
        for goal, decision in plan.stages:
            moving = decision.status_id is not None and plan.move is not None
            content = plan.moving if moving else _stayed(decision)
            rows.append(_row(account_id, plan.lead_id, "stage", goal.fact_id, content, "sent" if moving else "done"))
        for note in plan.notes:
            content = {"text": note.text, "marker": note.marker}
            rows.append(_row(account_id, plan.lead_id, "note", note.fact_id, content, "intended"))
    await _put(session, rows, epoch, now)


def _stayed(decision: Decision) -> dict[str, Any]:
    return {"stayed": decision.reason} | ({"offered": decision.offered} if decision.offered else {})


async def record_dry_run(
    session: AsyncSession, account_id: int, plan: Plan, fields: Mapping[str, Any], epoch: int, now: float
) -> None:
    """In shadow mode everything stays an intent, fields as well: the plan makes them anew once it may write."""
    rows: list[tuple[str, str, dict[str, Any]]] = [("fields", "fields", dict(fields))] if fields else []
    for goal, decision in plan.stages:
        to = {"pipeline": plan.move[0], "to": plan.move[1]} if plan.move and decision.status_id else {}
        rows.append(("stage", goal.fact_id, to or _stayed(decision)))
    rows += [("note", note.fact_id, {"text": note.text, "marker": note.marker}) for note in plan.notes]
    rows += [("task", task.fact_id, {"text": task.text}) for task in plan.tasks]
    intents = [_row(account_id, plan.lead_id, kind, fact_id, content, "intended") for kind, fact_id, content in rows]
    await _put(session, intents, epoch, now)


async def put_task(
    session: AsyncSession, account_id: int, lead_id: int, fact_id: str, text: str, state: str, epoch: int, now: float,
    kommo_id: int | None = None,
) -> None:  # fmt: skip
    """A task's intent, and what became of it."""
    row = _row(account_id, lead_id, "task", fact_id, {"text": text}, state)
    await _put(session, [row | {"kommo_id": kommo_id}], epoch, now)


async def put_period(
    session: AsyncSession, account_id: int, lead_id: int, payment_id: str, state: str, epoch: int, now: float,
    error: str = "", made: int | None = None,
) -> None:  # fmt: skip
    """A new deal for a period of this one's subscription. ``made``: its id."""
    row = _row(account_id, lead_id, "deal", f"period:{payment_id}", {}, state)
    await _put(session, [row | {"kommo_id": made, "error": error[:500]}], epoch, now)


async def close_task(session: AsyncSession, write: CardWrite) -> None:
    write.content = write.content | {"closed": True}
    await session.merge(write)


def _row(account_id: int, lead_id: int, kind: str, fact_id: str, content: dict[str, Any], state: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "lead_id": lead_id,
        "kind": kind,
        "fact_id": fact_id,
        "content": content,
        "state": state,
        "kommo_id": None,
        "attempts": 0,
        "error": "",
    }


async def _put(session: AsyncSession, rows: Sequence[dict[str, Any]], epoch: int, now: float) -> None:
    """One prepared statement for all rows: a batch has a hundred."""
    if not rows:
        return
    statement = dialect_insert(session, CardWrite)
    new = {name: statement.excluded[name] for name in ("content", "state", "kommo_id", "error", "epoch", "sent_at")}
    keys = ["account_id", "lead_id", "kind", "fact_id"]
    connection = await session.connection()
    await connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=new),
        [row | {"epoch": epoch, "sent_at": now} for row in rows],
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
) -> None:
    """Move intents of these deals from one of the ``old`` states to ``state``."""
    if not lead_ids:
        return
    values: dict[str, Any] = {"state": state, "epoch": epoch}
    if now is not None:
        values["sent_at"] = now
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


async def begin_notes(session: AsyncSession, account_id: int, plans: Iterable[Plan], epoch: int, now: float) -> None:
    """The notes of these plans are about to be posted; an intent that no plan wants any more stays one."""
    keys = [{"lead": plan.lead_id, "fact": note.fact_id} for plan in plans for note in plan.notes]
    mine = (CARD_WRITE.c.account_id == account_id, CARD_WRITE.c.lead_id == bindparam("lead"))
    this = (CARD_WRITE.c.kind == "note", CARD_WRITE.c.fact_id == bindparam("fact"), CARD_WRITE.c.state == "intended")
    begun = update(CARD_WRITE).where(*mine, *this).values(state="sent", epoch=epoch, sent_at=now)
    await (await session.connection()).execute(begun, keys)


async def mark_posted(session: AsyncSession, account_id: int, notes: Mapping[int, int], epoch: int) -> None:
    """``notes``: lead → the note that holds all that was sent for it."""
    if not notes:
        return
    mine = (CARD_WRITE.c.account_id == account_id, CARD_WRITE.c.lead_id == bindparam("lead"))
    sent = (CARD_WRITE.c.kind == "note", CARD_WRITE.c.state == "sent")
    done = update(CARD_WRITE).where(*mine, *sent).values(state="done", epoch=epoch, kommo_id=bindparam("note"))
    connection = await session.connection()
    await connection.execute(done, [{"lead": lead, "note": note} for lead, note in notes.items()])
