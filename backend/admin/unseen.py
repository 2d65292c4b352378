"""What an admin sees of notes and tasks that were sent to Kommo and never appeared."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import CardWrite

SHOWN_SECONDS = 30 * 86400.0


async def unseen_write(session: AsyncSession, account_id: int, now: float) -> str:
    """Return a sentence about the newest note or task that was given up; '' without one in thirty days.

    ``now``: epoch seconds.
    """
    found = await session.exec(
        select(CardWrite)
        .where(CardWrite.account_id == account_id, col(CardWrite.kind).in_(("note", "task")))
        .where(CardWrite.state == "dead", CardWrite.sent_at > now - SHOWN_SECONDS)
        .order_by(col(CardWrite.sent_at).desc())
        .limit(1)
    )
    given_up = found.first()
    return "" if given_up is None else f"A {given_up.kind} of deal {given_up.lead_id}: {given_up.error}"
