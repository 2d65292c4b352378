"""Look up a payment request by its link's token or its uuid, with its current session and its deal's ledger."""

from dataclasses import dataclass

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connection_for_button
from backend.core.errors import NotConnected, RequestNotFound
from backend.core.ids import usable_id
from backend.ledger.deal import DealLedger, Payment, Request, SessionState
from backend.ledger.load import load_deals
from backend.payments.merchant import Merchant, merchant_of
from backend.resources import Resources
from backend.storage.models import Account, CheckoutSession, PaymentRequest, StripeConnection

TOKEN_LENGTH = 16
UUID_LENGTH = 36
MARGIN_SECONDS = 600.0
"""Time after a session's expiry in which an event about its payment may still arrive; it
also covers clock differences."""


@dataclass(frozen=True)
class Link:
    """A payment request with its permanent link, its current session and its deal's ledger.

    ``holder``: the Stripe connection of the current session. ``maker``: the connection for the next session; None if
    Stripe is disconnected. ``newer_token``: the link of the request that replaced this one, or None.
    """

    request: PaymentRequest
    account: Account
    current: CheckoutSession
    holder: StripeConnection
    maker: StripeConnection | None
    ledger: DealLedger
    newer_token: str | None

    @property
    def asked(self) -> Request | None:
        """The request in the ledger; None if the account now shows the other mode (test or live)."""
        return next((one for one in self.ledger.requests if one.id == self.request.id), None)

    @property
    def merchant(self) -> Merchant:
        """The merchant that the client's pages name."""
        return merchant_of(self.account, self.holder, is_test=not self.holder.livemode)

    @property
    def state(self) -> str:
        """The request's state, see ``DealRequests.request_state``; "expired" if the
        account now shows the other mode."""
        return self.ledger.request_state(self.asked) if self.asked else "expired"

    @property
    def payments(self) -> tuple[Payment, ...]:
        """The payments of the request, received or not; () if the account now shows the other mode."""
        return self.ledger.payments_of(self.asked) if self.asked else ()

    @property
    def received(self) -> tuple[Payment, ...]:
        """The received payments of the request, oldest first; () if the account now shows the other mode.

        Only those in the currency of the first one: amounts of different currencies are never added.
        """
        received = self.ledger.received_for(self.asked) if self.asked else ()
        return tuple(payment for payment in received if payment.currency == received[0].currency)

    @property
    def returned(self) -> int:
        """The refunded or lost amount of these payments, in minor units."""
        return sum(payment.gone for payment in self.received)

    @property
    def is_over(self) -> bool:
        """True if Stripe reported that the current session expired or that its payment failed."""
        known = self._known
        return known is not None and (known.status == "expired" or self.has_failed)

    @property
    def is_past_end(self) -> bool:
        """True if the request's time is over while the ledger still has it as payable."""
        asked = self.asked
        return asked is not None and asked.is_past_end(self.ledger.now) and self.state in ("pending", "failed")

    @property
    def has_failed(self) -> bool:
        """True if the delayed payment of the current session failed.

        Such a session takes no other payment: a new one is needed (docs/facts/stripe.md C3).
        """
        known = self._known
        return known is not None and known.async_failed is not None

    @property
    def free_at(self) -> float:
        """When the current session can't be paid any more even if Stripe can't be asked, in epoch seconds."""
        return self.current.expires_at + MARGIN_SECONDS

    @property
    def _known(self) -> SessionState | None:
        sessions = self.asked.sessions if self.asked else ()
        return next((one for one in sessions if one.id == self.current.id), None)


async def find_link(resources: Resources, token: str) -> Link:
    """Return the request with this link token. Raises ``RequestNotFound`` for a malformed or unknown token."""
    async with resources.database.look() as session:
        usable = len(token) == TOKEN_LENGTH and token.isascii() and token.isalnum()
        found = await session.exec(select(PaymentRequest).where(PaymentRequest.link_token == token)) if usable else None
        return await _link(session, found.first() if found else None, resources.clock())


async def find_request(resources: Resources, account_id: int, request_id: str) -> Link:
    """Return the account's request with this uuid. Raises ``RequestNotFound``."""
    async with resources.database.look() as session:
        usable = len(request_id) == UUID_LENGTH and usable_id(request_id)
        found = await session.get(PaymentRequest, (account_id, request_id.lower())) if usable else None
        return await _link(session, found, resources.clock())


async def find_in_deal(resources: Resources, account_id: int, lead_id: int, request_id: str) -> Link | None:
    """Return the request with this uuid if it belongs to the deal, else None."""
    try:
        found = await find_request(resources, account_id, request_id)
    except RequestNotFound:
        return None
    return found if found.request.lead_id == lead_id else None


async def _link(session: AsyncSession, request: PaymentRequest | None, now: float) -> Link:
    if request is None or not request.session_n:
        raise RequestNotFound("There is no such payment.")
    current = await _current(session, request)
    account = await session.get_one(Account, request.account_id)
    holder = await session.get_one(StripeConnection, current.connection_id)
    ledgers = await load_deals(session, account, [request.lead_id], now)
    return Link(
        request=request,
        account=account,
        current=current,
        holder=holder,
        maker=await _maker(session, account, holder),
        ledger=ledgers[request.lead_id],
        newer_token=await _newer_token(session, request),
    )


async def _current(session: AsyncSession, request: PaymentRequest) -> CheckoutSession:
    found = await session.exec(
        select(CheckoutSession).where(
            CheckoutSession.account_id == request.account_id,
            CheckoutSession.request_id == request.id,
            CheckoutSession.n == request.session_n,
        )
    )
    return found.one()


async def _maker(session: AsyncSession, account: Account, holder: StripeConnection) -> StripeConnection | None:
    """Return the connection for the next session: the present one, unless it is draining; None if there is none."""
    if holder.state == "active" and holder.api_key:
        return holder
    try:
        maker = await connection_for_button(session, account)
    except NotConnected:
        return None
    return maker if maker.livemode == holder.livemode else None


async def _newer_token(session: AsyncSession, request: PaymentRequest) -> str | None:
    if request.replaced_by is None:
        return None
    newer = await session.get(PaymentRequest, (request.account_id, request.replaced_by))
    return newer.link_token if newer else None
