"""How many payments a year the running subscriptions of an account bring: as many deals, where each gets its own."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.models import LedgerEntry, PaymentRequest

A_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}


async def renewals_a_year(session: AsyncSession, account_id: int) -> int:
    found = await session.exec(
        select(LedgerEntry.facts, PaymentRequest.interval, PaymentRequest.interval_count)
        .join(PaymentRequest, col(PaymentRequest.id) == col(LedgerEntry.request_id))
        .where(LedgerEntry.account_id == account_id, LedgerEntry.kind == "subscription")
    )
    running = [(interval, count) for facts, interval, count in found.all() if "ended" not in facts]
    return round(sum(A_YEAR.get(interval or "month", 12) / (count or 1) for interval, count in running))
