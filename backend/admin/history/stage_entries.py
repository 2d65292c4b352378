"""The latest entries of deals into stages with a rule, and their outcomes."""

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.automation.rules.outcomes import Outcome, sentence
from backend.storage.models import StageEntry

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry; ``said``: the sentence of the deal card, '' while the entry waits."""

    at: float
    lead_id: int
    said: str
    needs_a_person: bool


async def last_entries(session: AsyncSession, account_id: int, language: str) -> list[Entered]:
    """Return the account's latest ``SHOWN`` stage entries, newest first."""
    mine = select(StageEntry).where(StageEntry.account_id == account_id)
    rows = (await session.exec(mine.order_by(col(StageEntry.received_at).desc()).limit(SHOWN))).all()
    return [_shown(row, language) for row in rows]


def _shown(row: StageEntry, language: str) -> Entered:
    outcome = Outcome(row.outcome, {name: str(value) for name, value in row.content.items()})
    said = sentence(outcome, language) if row.outcome else ""
    return Entered(row.received_at, row.lead_id, said, outcome.needs_a_person)
