"""A session whose connection is being given up or was removed, and of which nobody can be asked any more.

Until its own time is over it might be paid, so no other takes its place. After that it counts as over, unless an event
said that it was paid, or still waits in the inbox and might say so.
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
"""Types of events by which we would hear that a session was paid."""


def is_orphaned(link: Link, error: Exception) -> bool:
    """``error`` came of asking about the current session: does its connection drain without a key that Stripe takes?"""
    is_no = isinstance(error, NotConnected) or (isinstance(error, Refused) and error.status in (401, 403))
    return is_no and link.holder.state != "active" and not link.is_over


@repeated
async def mark_expired(resources: Resources, link: Link) -> bool:
    """True: the current session is over, and the ledger says so. False: it may still be paid, or was."""
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
