"""The latest bots that waited for a payment, and the result of each wait."""

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import BotStep

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Waited:
    """A bot's wait, which began ``at`` and ends at ``until`` (epoch seconds).

    ``result``: waits, unsure, gone, refused, late or removed; the exit if Kommo confirmed the answer.
    """

    at: float
    until: float
    lead_id: int
    result: str

    @property
    def needs_a_person(self) -> bool:
        """Whether an administrator must change something for the next answer to arrive."""
        return self.result in ("refused", "late")


async def last_waits(session: AsyncSession, account_id: int) -> list[Waited]:
    """Return the account's latest ``SHOWN`` waits, newest first."""
    mine = (BotStep.account_id == account_id, col(BotStep.wait_until).is_not(None))
    rows = (
        await session.exec(select(BotStep).where(*mine).order_by(col(BotStep.received_at).desc()).limit(SHOWN))
    ).all()
    return [Waited(row.received_at, row.wait_until or 0.0, row.lead_id, _result(row)) for row in rows]


def _result(row: BotStep) -> str:
    if row.state != "done":
        return "waits"
    return str(row.answer["exit"]) if row.outcome == "told" else row.outcome
