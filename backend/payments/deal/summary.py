"""A deal as its card tells it: what is known of its money, whether Stripe is connected, and why it is not paid."""

from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connection_for_button
from backend.core.errors import NotConnected
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.payments.deal.explain import DealContext, explain
from backend.payments.deal.related import paid_elsewhere
from backend.storage.models import Account


@dataclass(frozen=True)
class DealSeen:
    ledger: DealLedger
    connected: bool
    why: str


async def look_at_deal(session: AsyncSession, account: Account, lead_id: int, now: float, language: str) -> DealSeen:
    """From our database alone; ``why`` is said in ``language``, or in English where we don't speak it."""
    ledger = (await load_deals(session, account, [lead_id], now))[lead_id]
    connected = await _is_connected(session, account)
    context = DealContext(
        timezone=account.timezone,
        stripe=connected,
        kommo=account.state == "connected",
        elsewhere=await paid_elsewhere(session, account.id, lead_id, ledger),
    )
    return DealSeen(ledger, connected, explain(ledger, context, language))


async def _is_connected(session: AsyncSession, account: Account) -> bool:
    try:
        await connection_for_button(session, account)
    except NotConnected:
        return False
    return True
