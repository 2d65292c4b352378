"""*Check now*: fetch the open sessions of a deal from Stripe."""

from sqlmodel import col, select

from backend.core.errors import NotConnected
from backend.payments.checkout.open import PAYABLE, ask_again
from backend.payments.checkout.orphaned import is_orphaned, mark_expired
from backend.payments.find import find_request
from backend.payments.stripe_errors import in_words, out_of_reach
from backend.resources import Resources
from backend.storage.models import PaymentRequest
from backend.stripe_api.client import Refused, Unreachable

AT_MOST = 10
"""The number of a deal's requests that are checked, newest first: a person waits for the answer."""


async def check(resources: Resources, account_id: int, lead_id: int) -> int:
    """Fetch the open sessions of a deal from Stripe, record their state in the ledger, and return their number.

    Raises ``NotConnected``, ``StripeRefused`` or ``StripeUnreachable`` if Stripe gives no answer.
    """
    asked = 0
    for request_id in await _newest(resources, account_id, lead_id):
        link = await find_request(resources, account_id, request_id)
        if link.state not in (*PAYABLE, "processing") or link.is_over:
            continue
        asked += 1
        try:
            await ask_again(resources, link)
        except (Refused, NotConnected) as refusal:
            if is_orphaned(link, refusal):
                await mark_expired(resources, link)
                continue
            if isinstance(refusal, NotConnected):
                raise
            raise in_words(refusal) from refusal
        except Unreachable as error:
            raise out_of_reach(error) from error
    return asked


async def _newest(resources: Resources, account_id: int, lead_id: int) -> list[str]:
    async with resources.database.read() as session:
        found = await session.exec(
            select(PaymentRequest.id)
            .where(
                PaymentRequest.account_id == account_id,
                PaymentRequest.lead_id == lead_id,
                PaymentRequest.session_n > 0,
                col(PaymentRequest.cancelled_at).is_(None),
            )
            .order_by(col(PaymentRequest.created_at).desc())
            .limit(AT_MOST)
        )
        return list(found.all())
