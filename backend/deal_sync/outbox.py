"""The outbox: a row for each note, task and stage move before it is sent, and then its result."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Table, bindparam, update
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.deal_sync.desired.stages import Decision
from backend.deal_sync.plan import Plan
from backend.resources import Resources
from backend.storage.db import dialect_insert
from backend.storage.models import CardWrite
from backend.work_queue.leases import Claim, fence

CARD_WRITE: Table = CardWrite.__table__  # type: ignore[attr-defined]
LONGEST_ERROR = 500

State = Literal["intended", "sent", "doubtful", "done", "dead"]


@dataclass(frozen=True, slots=True)
class Write:
    """One effect on a deal and its state. A fact has at most one write of each kind on a deal."""

    lead_id: int
    kind: Literal["deal", "fields", "note", "stage", "task"]
    fact_id: str
    content: Mapping[str, Any]
    state: State
    kommo_id: int | None = None
    """Id of the note, task or deal that Kommo created."""
    error: str = ""


async def enqueue(session: AsyncSession, claim: Claim, plans: Iterable[Plan], now: float) -> None:
    """Insert the rows of these plans before any request: moves in the PATCH as *sent*, moves decided against as *done*,
    notes as *intended*. ``now``: epoch seconds.
    """
    writes: list[Write] = []
    for plan in plans:
        for goal, decision in plan.stages:
            if decision.status_id is not None and plan.move is not None:
                writes.append(Write(plan.lead_id, "stage", goal.fact_id, plan.moving, "sent"))
            else:
                writes.append(Write(plan.lead_id, "stage", goal.fact_id, _stayed(decision), "done"))
        writes += _notes(plan)
    await put(session, claim, writes, now)


async def record_dry_run(
    session: AsyncSession, claim: Claim, plan: Plan, fields: Mapping[str, Any], now: float
) -> None:
    """Record the plan of a deal in shadow mode, fields included, with every row *intended*.

    The writer plans the deal anew once it may write. ``fields``: code → (current text, wanted text); ``now``: epoch
    seconds.
    """
    lead_id = plan.lead_id
    writes = [Write(lead_id, "fields", "fields", fields, "intended")] if fields else []
    for goal, decision in plan.stages:
        to = {"pipeline": plan.move[0], "to": plan.move[1]} if plan.move and decision.status_id else {}
        writes.append(Write(lead_id, "stage", goal.fact_id, to or _stayed(decision), "intended"))
    writes += _notes(plan)
    writes += [Write(lead_id, "task", task.fact_id, {"text": task.text}, "intended") for task in plan.tasks]
    await put(session, claim, writes, now)


async def record(resources: Resources, claim: Claim, write: Write) -> None:
    """Commit one write: before its request, and again with the result. Raises ``LeaseLost``."""
    async with resources.database.write() as session:
        now = resources.clock()
        await fence(session, claim, now)
        await put(session, claim, [write], now)


async def put(session: AsyncSession, claim: Claim, writes: Iterable[Write], now: float) -> None:
    """Insert these writes or update their rows, with ``sent_at`` from ``now`` (epoch seconds).

    It is one prepared statement, because a batch has a hundred rows.
    """
    rows = [_row(claim, write, now) for write in writes]
    if not rows:
        return
    statement = dialect_insert(session, CardWrite)
    new = {name: statement.excluded[name] for name in ("content", "state", "kommo_id", "error", "epoch", "sent_at")}
    keys = ["account_id", "lead_id", "kind", "fact_id"]
    connection = await session.connection()
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new), rows)


async def close_task(session: AsyncSession, write: CardWrite) -> None:
    """Record that the task of this write was closed in Kommo."""
    write.content = write.content | {"closed": True}
    await session.merge(write)


def _stayed(decision: Decision) -> dict[str, Any]:
    return {"stayed": decision.reason} | ({"offered": decision.offered} if decision.offered else {})


def _notes(plan: Plan) -> list[Write]:
    contents = [(note.fact_id, {"text": note.text, "marker": note.marker}) for note in plan.notes]
    return [Write(plan.lead_id, "note", fact_id, content, "intended") for fact_id, content in contents]


def _row(claim: Claim, write: Write, now: float) -> dict[str, Any]:
    return {
        "account_id": claim.account_id,
        "lead_id": write.lead_id,
        "kind": write.kind,
        "fact_id": write.fact_id,
        "content": dict(write.content),
        "state": write.state,
        "kommo_id": write.kommo_id,
        "attempts": 0,
        "error": write.error[:LONGEST_ERROR],
        "epoch": claim.epoch,
        "sent_at": now,
    }


async def mark_sent(
    session: AsyncSession, claim: Claim, kind: str, states: Mapping[str, Collection[int]], now: float
) -> None:
    """Set the new state of all *sent* writes of one kind. ``states``: new state → deal ids; ``now``: epoch seconds."""
    sent = (CARD_WRITE.c.account_id == claim.account_id, CARD_WRITE.c.kind == kind, CARD_WRITE.c.state == "sent")
    for state, lead_ids in states.items():
        if lead_ids:
            these = update(CARD_WRITE).where(*sent, CARD_WRITE.c.lead_id.in_(lead_ids))
            await (await session.connection()).execute(these.values(state=state, epoch=claim.epoch, sent_at=now))


async def begin_notes(session: AsyncSession, claim: Claim, plans: Iterable[Plan], now: float) -> None:
    """Mark the notes of these plans as *sent* at ``now`` (epoch seconds) before they are posted; rows of notes that no
    plan wants stay *intended*.
    """
    keys = [{"lead": plan.lead_id, "fact": note.fact_id} for plan in plans for note in plan.notes]
    mine = (CARD_WRITE.c.account_id == claim.account_id, CARD_WRITE.c.lead_id == bindparam("lead"))
    this = (CARD_WRITE.c.kind == "note", CARD_WRITE.c.fact_id == bindparam("fact"), CARD_WRITE.c.state == "intended")
    begun = update(CARD_WRITE).where(*mine, *this).values(state="sent", epoch=claim.epoch, sent_at=now)
    await (await session.connection()).execute(begun, keys)


async def mark_posted(session: AsyncSession, claim: Claim, notes: Mapping[int, int]) -> None:
    """Mark all *sent* notes of these deals as *done*. ``notes``: deal id → id of the Kommo note with all their
    texts."""
    if not notes:
        return
    mine = (CARD_WRITE.c.account_id == claim.account_id, CARD_WRITE.c.lead_id == bindparam("lead"))
    sent = (CARD_WRITE.c.kind == "note", CARD_WRITE.c.state == "sent")
    done = update(CARD_WRITE).where(*mine, *sent).values(state="done", epoch=claim.epoch, kommo_id=bindparam("note"))
    connection = await session.connection()
    await connection.execute(done, [{"lead": lead, "note": note} for lead, note in notes.items()])
