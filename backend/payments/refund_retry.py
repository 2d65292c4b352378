"""A refund that was asked for before and never answered for: looked for at Stripe, before it is asked for by a new key.

Stripe replays its own fault (500) to a key for a day, and forgets a key after that (docs: idempotent requests).
"""

from backend.resources import Resources
from backend.storage.models import RefundRequest
from backend.stripe_api.client import Answer, StripeApi

MARK = "kommo_refund_id"


def key_of(row: RefundRequest) -> str:
    key = f"{row.account_id}:{row.id}"
    return f"{key}:{row.tries}" if row.tries else key


async def made_before(resources: Resources, api: StripeApi, row: RefundRequest) -> Answer | None:
    """What an earlier call made after all. None: ask by ``key_of(row)``, which is a new key where nothing was made.

    As long as that call may still be carried out, its own key is good: Stripe makes one refund of both.
    """
    carries_our_mark = row.tried_at > 0  # those of an older version did not
    if not carries_our_mark or row.tried_at + resources.settle_seconds > resources.clock():
        return None
    for refund in await api.refunds_of(row.payment_id):
        if (refund.get("metadata") or {}).get(MARK) == row.id:
            return refund
    await _next_key(resources, row)
    return None


async def _next_key(resources: Resources, row: RefundRequest) -> None:
    """One for all who press at once. ``row`` is then as it is kept."""
    async with resources.database.write() as session:
        kept = await session.get_one(RefundRequest, (row.account_id, row.id), with_for_update=True)
        if kept.tries == row.tries:
            kept.tries, kept.tried_at = row.tries + 1, resources.clock()
            session.add(kept)
    row.tries = kept.tries
