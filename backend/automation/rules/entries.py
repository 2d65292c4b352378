"""Rules' entries for the deal card: the newest ones that matter to a user."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.automation.rules.outcomes import ASKED, OBSTACLES, USED_AGAIN, Outcome, sentence, texts
from backend.core.i18n import date_of
from backend.storage.models import Account, StageEntry

SHOWN = 3
TOLD = (ASKED, USED_AGAIN, *OBSTACLES)
"""Entries without a request and without an obstacle get no line."""


async def card_entries(session: AsyncSession, account: Account, lead_id: int, language: str) -> list[str]:
    """Return lines of the deal's last ``SHOWN`` stage entries, newest first: the day, and the request or the obstacle.

    Entries that wait, or that led to neither, get no line.
    """
    mine = (StageEntry.account_id == account.id, StageEntry.lead_id == lead_id, col(StageEntry.outcome).in_(TOLD))
    newest = select(StageEntry).where(*mine).order_by(col(StageEntry.received_at).desc()).limit(SHOWN)
    return [_line(one, account, language) for one in (await session.exec(newest)).all()]


def _line(entry: StageEntry, account: Account, language: str) -> str:
    spoken = texts(language).language
    said = sentence(Outcome(entry.outcome, entry.content), spoken)
    return f"{date_of(entry.received_at, account.timezone, spoken)}: {said}"
