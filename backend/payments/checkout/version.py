"""Read in one query everything that decides where a link leads, to see whether a cached answer is still valid."""

from sqlalchemy import Integer, and_, bindparam, cast, func, select
from sqlmodel import col

from backend.payments.find import TOKEN_LENGTH
from backend.resources import Resources
from backend.storage.models import Account, CheckoutSession, Deal, PaymentRequest, StripeConnection
from backend.storage.plain_reads import PlainRead, Row

Version = Row
"""The values that decide where a link leads."""
_LIVE = (
    select(func.max(cast(StripeConnection.livemode, Integer)))  # PostgreSQL has no maximum of booleans
    .where(col(StripeConnection.account_id) == col(PaymentRequest.account_id))
    .correlate(PaymentRequest)
    .scalar_subquery()
)
_PARTS = (
    select(
        col(PaymentRequest.session_n),
        col(PaymentRequest.cancelled_at),
        col(PaymentRequest.replaced_by),
        col(PaymentRequest.lead_id),
        col(PaymentRequest.ended_at),
        col(PaymentRequest.expires_at),
        col(Account.mode),
        col(StripeConnection.state),
        col(Deal.wanted),
        _LIVE,
    )
    .join(Account, col(Account.id) == col(PaymentRequest.account_id))
    .join(
        CheckoutSession,
        and_(
            col(CheckoutSession.account_id) == col(PaymentRequest.account_id),
            col(CheckoutSession.request_id) == col(PaymentRequest.id),
            col(CheckoutSession.n) == col(PaymentRequest.session_n),
        ),
    )
    .join(StripeConnection, col(StripeConnection.id) == col(CheckoutSession.connection_id))
    .outerjoin(
        Deal, and_(col(Deal.account_id) == col(PaymentRequest.account_id), col(Deal.lead_id) == PaymentRequest.lead_id)
    )
    .where(col(PaymentRequest.link_token) == bindparam("token"))
)
_READ = PlainRead(_PARTS)
EXPIRES_AT = 5


async def link_version(resources: Resources, token: str) -> Version | None:
    """Return a value that stays equal while nothing that decides where the link leads has changed.

    None if the link is unknown or its time is over. A deal's ``wanted`` grows with every change of its ledger
    (``mark_dirty``), in the same unit of work.
    """
    if not (len(token) == TOKEN_LENGTH and token.isascii() and token.isalnum()):
        return None
    found = await _READ.first(resources.database, token=token)
    if found is None or (found[EXPIRES_AT] is not None and found[EXPIRES_AT] <= resources.clock()):
        return None
    return found
