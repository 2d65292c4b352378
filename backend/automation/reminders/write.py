"""Rows of reminder steps and their effects, in the caller's unit of work."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.automation.reminders.look import OWED, beside
from backend.automation.reminders.queue import look_at
from backend.automation.reminders.schedule import Step
from backend.automation.sendings.plan import Channel, Origin, plan_sending
from backend.ledger.load import load_deals
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import Account, PaymentRequest, Reminder
from backend.work_queue.wakeups import mark_dirty


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of a step. ``user_id``: who decided it by hand, or gets the escalated task."""

    step: Step
    state: str
    reason: str = ""
    user_id: int = 0


async def write(session: AsyncSession, resources: Resources, link: Link, done: Iterable[Done]) -> None:
    """Write the rows, plan what is to be sent, and schedule the request's next check at once.

    Nothing is written for a request that was paid or cancelled since the last check; a step with a row stays as it is.
    ``session`` began with the account's lock.
    """
    request, now = link.request, resources.clock()
    await look_at(session, request.account_id, request.id, now)
    current = await session.get_one(PaymentRequest, (request.account_id, request.id), populate_existing=True)
    decided = tuple(done)
    if await _still_unpaid(session, current, now, to_client=any(one.state == "sent" for one in decided)):
        for one in decided:
            await _write(session, current, one, now)


async def _still_unpaid(session: AsyncSession, request: PaymentRequest, now: float, *, to_client: bool) -> bool:
    """Return whether the request is unpaid; ``to_client``: and its link can still be paid."""
    account = await session.get_one(Account, request.account_id)
    ledger = (await load_deals(session, account, [request.lead_id], now))[request.lead_id]
    asked = next((one for one in ledger.requests if one.id == request.id), None)
    if asked is None or ledger.request_state(asked) not in OWED or beside(ledger) is not None:
        return False
    return not to_client or not asked.is_past_end(now)


async def _write(session: AsyncSession, request: PaymentRequest, done: Done, now: float) -> None:
    if await session.get(Reminder, (request.account_id, request.id, done.step.name)) is not None:
        return
    origin = _origin(request, done)
    row = Reminder(
        account_id=request.account_id,
        request_id=request.id,
        step=done.step.name,
        number=await _next_number(session, request),
        state=done.state,
        reason=done.reason,
        user_id=done.user_id,
        planned_for=done.step.due_at,
        decided_at=now,
        sending_id=origin.sending_id if done.state == "sent" else "",
    )
    await insert_missing(session, Reminder, [row.model_dump()])
    if done.state == "sent":
        channel = done.step.channel or "task"
        channels: list[Channel] = ["task"] if channel == "task" else [channel, "task"]
        await plan_sending(session, request=request, deal_id=request.lead_id, origin=origin, channels=channels, now=now)
    if done.state == "task":
        await mark_dirty(session, request.account_id, [request.lead_id], now)


def _origin(request: PaymentRequest, done: Done) -> Origin:
    """Return the sending's origin; what a person sends ignores the hours."""
    by_hand = done.reason == "person"
    key, name = f"{request.id}:{done.step.name}", done.step.name
    return Origin("person", f"reminder:{key}", name, done.user_id) if by_hand else Origin("reminder", key, name)


async def _next_number(session: AsyncSession, request: PaymentRequest) -> int:
    mine = (Reminder.account_id == request.account_id, Reminder.request_id == request.id)
    return ((await session.exec(select(func.max(col(Reminder.number))).where(*mine))).one() or 0) + 1
