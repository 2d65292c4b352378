"""Stage moves that were only offered, since they start bots that write to clients, and their confirmation."""

from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import Conflict
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import Audit, CardWrite
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty


async def offered_moves(session: AsyncSession, account_id: int, lead_id: int) -> list[CardWrite]:
    """Return the deal's moves that wait for a confirmation, newest last.

    ``content``: {stayed: why, offered: status id}.
    """
    found = await session.exec(
        select(CardWrite)
        .where(CardWrite.account_id == account_id, CardWrite.lead_id == lead_id, CardWrite.kind == "stage")
        .order_by(col(CardWrite.sent_at))
    )
    return [write for write in found.all() if write.state == "done" and "offered" in write.content]


@repeated
async def agree(resources: Resources, account_id: int, lead_id: int, *, who: str) -> dict[str, Any]:
    """Confirm the offered move and return ``{"lead_id", "status_id"}``, Kommo's ids of the deal and the offered stage.

    The writer decides again, so a deal that moved on stays. Raises ``Conflict`` if no move waits.
    """
    async with account_unit(resources.database, account_id) as session:
        waiting = await offered_moves(session, account_id, lead_id)
        if not waiting:
            raise Conflict(said("no_move_waits"))
        write = waiting[-1]
        asked = dict(write.content)
        write.content, write.state = asked | {"agreed": True}, "intended"
        session.add(write)
        await mark_dirty(session, account_id, [lead_id], resources.clock())
        session.add(
            Audit(
                at=resources.clock(), account_id=account_id, who=who, what="move agreed",
                before=asked, after={"lead_id": lead_id},
            )
        )  # fmt: skip
    resources.work_arrived.set()
    return {"lead_id": lead_id, "status_id": asked["offered"]}
