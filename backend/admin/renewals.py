"""What an admin sees of deals for renewals: how many a year they would be, and one that Kommo refused."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import CardWrite, LedgerEntry, PaymentRequest

A_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}
SHOWN_SECONDS = 30 * 86400.0
"""How long a refusal is shown; its renewal stays on the contract's deal."""


async def renewals_a_year(session: AsyncSession, account_id: int) -> int:
    """Of the running subscriptions of an account: as many deals, where each renewal gets its own."""
    found = await session.exec(
        select(LedgerEntry.facts, PaymentRequest.interval, PaymentRequest.interval_count)
        .join(PaymentRequest, col(PaymentRequest.id) == col(LedgerEntry.request_id))
        .where(LedgerEntry.account_id == account_id, LedgerEntry.kind == "subscription")
    )
    running = [(interval, count) for facts, interval, count in found.all() if "ended" not in facts]
    return round(sum(A_YEAR.get(interval or "month", 12) / (count or 1) for interval, count in running))


async def refused_renewal(session: AsyncSession, account_id: int, now: float) -> str:
    """A sentence about the newest renewal that Kommo made no deal for; empty where there is none of late."""
    found = await session.exec(
        select(CardWrite)
        .where(CardWrite.account_id == account_id, CardWrite.kind == "deal", CardWrite.state == "dead")
        .where(CardWrite.sent_at > now - SHOWN_SECONDS)
        .order_by(col(CardWrite.sent_at).desc())
        .limit(1)
    )
    refused = found.first()
    if refused is None:
        return ""
    return f"Kommo made no new deal for a renewal of deal {refused.lead_id}, its note is there instead: {refused.error}"
