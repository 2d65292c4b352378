"""The second check of a reminder that waited, for its hours, another message of the day, or Kommo: at the deal and at
the talk. Stripe was asked by the sending itself."""

from sqlalchemy import update
from sqlmodel import col

from backend.automation.reminders.look import Hand, Skip, kept_by_the_deal, kept_from_clients
from backend.automation.reminders.replies import has_replied
from backend.automation.reminders.settings import chasing_of
from backend.automation.reminders.stops import is_stopped
from backend.automation.sendings.store import change_in
from backend.kommo_api.values import Lead
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.models import Reminder, Sending
from backend.work_queue.leases import Claim, fence
from backend.work_queue.wakeups import mark_dirty


async def withdraw(resources: Resources, claim: Claim, row: Sending, link: Link, lead: Lead) -> bool:
    """Return whether the reminder was withdrawn: it is skipped, or a user gets a task since the client wrote.

    Raises Kommo's errors that concern the whole account.
    """
    verdict = await _verdict(resources, link, lead)
    if verdict is None:
        return False
    now, state = resources.clock(), "task" if isinstance(verdict, Hand) else "skipped"
    async with resources.database.write() as session:
        await fence(session, claim, now)
        if state == "task":
            await mark_dirty(session, row.account_id, [lead.id], now)
        dropped = {"state": "dropped", "reason": verdict.reason, "due_at": None, "epoch": claim.epoch}
        if await change_in(session, row, **dropped):
            of_request = (col(Reminder.account_id) == row.account_id, col(Reminder.request_id) == row.request_id)
            mine = (*of_request, col(Reminder.sending_id) == row.id)
            await session.exec(update(Reminder).where(*mine).values(state=state, reason=verdict.reason))
    return True


async def _verdict(resources: Resources, link: Link, lead: Lead) -> Skip | Hand | None:
    if await is_stopped(resources, link):
        return Skip("stopped")
    async with resources.database.look() as session:
        chasing, _ = await chasing_of(session, link.account.id)
    kept = kept_by_the_deal(lead, link.ledger) or kept_from_clients(link.account, lead, chasing)
    if kept:
        return Skip(kept)
    return Hand("replied") if await has_replied(resources, link) else None
