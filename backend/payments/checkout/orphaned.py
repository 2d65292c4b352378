"""Checkout Sessions of a draining or removed Stripe connection whose state can no longer be fetched.

Such a session might be paid until it expires, so no other one replaces it before. After that it counts as expired,
unless an event reported its payment or an event that might report it still waits in the inbox.
"""

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import NotConnected
from backend.facts import Fact
from backend.inbox.store import is_waiting
from backend.payments.checkout.lookup import record
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.models import InboxEvent
from backend.storage.repeating import repeated
from backend.stripe_api.client import Refused
from backend.work_queue.lock_order import account_unit

TELLING = ("checkout.session.%", "payment_intent.%")
"""Types of events that may report the payment of a session."""


def is_orphaned(link: Link, error: Exception) -> bool:
    """True if the current session's connection is draining or removed and Stripe rejects its key.

    ``error``: the failure of a request about the session.
    """
    is_no = isinstance(error, NotConnected) or (isinstance(error, Refused) and error.status in (401, 403))
    return is_no and link.holder.state != "active" and not link.is_over


@repeated
async def mark_expired(resources: Resources, link: Link) -> bool:
    """Record in the ledger that the current session expired. False if it may still be paid, or may have been."""
    now = resources.clock()
    if now < link.free_at:
        return False
    over = [Fact(link.current.id, "kind", "session"), Fact(link.current.id, "status", "expired")]
    async with account_unit(resources.database, link.holder.account_id) as session:
        if await _news_wait(session, link.holder.id):
            return False
        await record(session, link.holder, over, now)
    resources.work_arrived.set()
    return True


async def _news_wait(session: AsyncSession, connection_id: str) -> bool:
    telling = or_(*(col(InboxEvent.type).like(one) for one in TELLING))
    found = await session.exec(
        select(InboxEvent.id).where(InboxEvent.connection_id == connection_id, is_waiting(), telling)
    )
    return found.first() is not None
