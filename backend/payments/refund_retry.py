"""Repeat a refund whose outcome is unknown: look for it at Stripe before asking again under a new idempotency key.

Stripe replays its own fault (500) for a key for a day, and forgets the key after that (docs/facts/stripe.md B3).
"""

from backend.resources import Resources
from backend.storage.models import RefundRequest
from backend.stripe_api.client import Answer, StripeApi

MARK = "kommo_refund_id"
"""The metadata key of our refund id at Stripe."""


def key_of(row: RefundRequest) -> str:
    """Return the idempotency key of the refund's present attempt."""
    key = f"{row.account_id}:{row.id}"
    return f"{key}:{row.tries}" if row.tries else key


async def made_before(resources: Resources, api: StripeApi, row: RefundRequest) -> Answer | None:
    """Return the refund that an earlier call made at Stripe, or None: then ask under ``key_of(row)``.

    The key is a new one if Stripe has no such refund. While the earlier call may still take effect, the key stays the
    same: Stripe then makes one refund of both. Raises ``Refused`` or ``Unreachable``.
    """
    carries_our_mark = row.tried_at > 0  # refunds of an older version carry none
    if not carries_our_mark or row.tried_at + resources.settle_seconds > resources.clock():
        return None
    for refund in await api.refunds_of(row.payment_id):
        if (refund.get("metadata") or {}).get(MARK) == row.id:
            return refund
    await _next_key(resources, row)
    return None


async def _next_key(resources: Resources, row: RefundRequest) -> None:
    """Advance the idempotency key once, however many callers race; updates ``row.tries``."""
    async with resources.database.write() as session:
        kept = await session.get_one(RefundRequest, (row.account_id, row.id), with_for_update=True)
        if kept.tries == row.tries:
            kept.tries, kept.tried_at = row.tries + 1, resources.clock()
            session.add(kept)
    row.tries = kept.tries
