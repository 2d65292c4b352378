"""The state of a deal for its card: the ledger, whether Stripe is connected, and why the deal is not paid."""

from dataclasses import dataclass, replace

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
    """The state of a deal for its card. ``connected``: Stripe is. ``why``: the explanation, one line."""

    ledger: DealLedger
    connected: bool
    why: str


async def look_at_deal(
    session: AsyncSession,
    account: Account,
    lead_id: int,
    now: float,
    language: str,
    *,
    only_of: int | None = None,
    merging: bool = False,
    marked: bool = False,
) -> DealSeen:
    """Return the state of a deal from our database alone, with ``why`` in ``language``;
    English if we lack the language.

    ``now``: epoch seconds. ``only_of``: the user whose own requests, and their payments, are all that may be shown.
    ``merging``: another deal was merged into this one and its payments are not here yet. ``marked``: amounts in ``why``
    are written as ``{600.00 USD}``.
    """
    ledger = (await load_deals(session, account, [lead_id], now))[lead_id]
    if only_of is not None:
        ledger = _made_by(ledger, only_of)
    connected = await _is_connected(session, account)
    context = DealContext(
        timezone=account.timezone,
        stripe=connected,
        kommo=account.state == "connected",
        marked=marked,
        elsewhere=await paid_elsewhere(session, account.id, lead_id, ledger) if only_of is None else None,
        merging=merging,
    )
    return DealSeen(ledger, connected, explain(ledger, context, language))


def _made_by(ledger: DealLedger, user_id: int) -> DealLedger:
    mine = tuple(request for request in ledger.requests if request.created_by == user_id)
    ids = {request.id for request in mine}
    payments = tuple(payment for payment in ledger.payments if payment.request_id in ids)
    return replace(ledger, requests=mine, payments=payments, emptied=False, failed_renewals=(), ended_subscriptions=())


async def _is_connected(session: AsyncSession, account: Account) -> bool:
    try:
        await connection_for_button(session, account)
    except NotConnected:
        return False
    return True
