"""What an admin sees of deals for renewals: their number per year, and a refusal by Kommo."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.sentences.said import said
from backend.storage.models import CardWrite, LedgerEntry, PaymentRequest

A_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}
SHOWN_SECONDS = 30 * 86400.0
"""How long a refusal is shown; its renewal stays on the contract's deal."""


async def renewals_a_year(session: AsyncSession, account_id: int) -> int:
    """Return the renewals per year of the account's running subscriptions: the number of deals if each renewal gets
    one.
    """
    found = await session.exec(
        select(LedgerEntry.facts, PaymentRequest.interval, PaymentRequest.interval_count)
        .join(PaymentRequest, col(PaymentRequest.id) == col(LedgerEntry.request_id))
        .where(PaymentRequest.account_id == account_id)
        .where(LedgerEntry.account_id == account_id, LedgerEntry.kind == "subscription")
    )
    running = [(interval, count) for facts, interval, count in found.all() if "ended" not in facts]
    return round(sum(A_YEAR.get(interval or "month", 12) / (count or 1) for interval, count in running))


async def refused_renewal(session: AsyncSession, account_id: int, now: float) -> str:
    """Return a sentence about the newest renewal for which Kommo refused a deal; '' without one in thirty days.

    ``now``: epoch seconds.
    """
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
    return said("renewal_deal_refused", id=str(refused.lead_id), reason=refused.error)
