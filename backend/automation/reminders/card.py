"""Reminders in the deal card, and a user's actions on the next one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select, update

from backend.automation.reminders.look import has_ended, standing_of
from backend.automation.reminders.schedule import Step
from backend.automation.reminders.settings import still_chased
from backend.automation.reminders.stops import go_on, stop, stopped
from backend.automation.reminders.turn import Case, case_of
from backend.automation.reminders.write import Done, write
from backend.core.errors import Conflict
from backend.resources import Resources
from backend.storage.models import PaymentRequest, Reminder, ReminderSettings
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work


@dataclass(frozen=True, slots=True)
class Next:
    """The next message to the client about a request."""

    request_id: str
    step: Step


@dataclass(frozen=True)
class Chase:
    """A deal's reminders; ``past`` is newest first."""

    stopped: bool
    coming: Sequence[Next]
    past: Sequence[Reminder]


MOST_PAST = 20


async def chase_of(resources: Resources, account_id: int, lead_id: int) -> Chase:
    """Return the deal's reminders: the next one of each unpaid request, and the past ones."""
    mine = (PaymentRequest.account_id == account_id, PaymentRequest.lead_id == lead_id)
    is_chased = (*still_chased(resources.clock()), col(PaymentRequest.session_n) > 0)
    asked_for = select(PaymentRequest.id).where(*mine, *is_chased)
    of_deal = col(Reminder.request_id).in_(select(PaymentRequest.id).where(*mine))
    newest = (
        select(Reminder)
        .where(Reminder.account_id == account_id, of_deal)
        .order_by(col(Reminder.decided_at).desc(), col(Reminder.number).desc())
    )
    async with resources.database.look() as session:
        if await session.get(ReminderSettings, account_id) is None:
            return Chase(False, (), ())
        is_stopped = await stopped(session, account_id, lead_id)
        asked = (await session.exec(asked_for.order_by(col(PaymentRequest.created_at).desc()).limit(MOST_PAST))).all()
        past = (await session.exec(newest.limit(MOST_PAST))).all()
    cases = [] if is_stopped else [await case_of(resources, account_id, one) for one in asked]
    coming = [Next(one.link.request.id, step) for one in cases if (step := _next(one)) is not None]
    return Chase(is_stopped, coming, past)


def _next(case: Case) -> Step | None:
    """Return the next step that goes to the client; a due one counts as next."""
    if standing_of(case.link) is not None or has_ended(case.link):
        return None
    return next((one for one in case.steps if one.channel), None)


async def skip(resources: Resources, account_id: int, request_id: str, step: str, user_id: int) -> None:
    """Skip the named step. Raises ``Conflict`` if it is not the next one any more."""
    await _by_hand(resources, account_id, request_id, step, user_id, "skipped")


async def send_now(resources: Resources, account_id: int, request_id: str, step: str, user_id: int) -> None:
    """Do the named step now, since a person checked it. Raises ``Conflict`` if it is not the next one any more."""
    await _by_hand(resources, account_id, request_id, step, user_id, "sent")


async def _by_hand(
    resources: Resources, account_id: int, request_id: str, named: str, user_id: int, state: str
) -> None:
    case = await case_of(resources, account_id, request_id)
    step = _next(case)
    if step is None or step.name != named:
        raise Conflict("This reminder is not the next one any more. Look again.")
    await _write(resources, case, Done(step, state, "person", user_id))


@repeated
async def _write(resources: Resources, case: Case, done: Done) -> None:
    async with account_unit(resources.database, case.link.request.account_id) as session:
        await write(session, resources, case.link, [done])
        await request_work(session, case.link.request.account_id)
    resources.work_arrived.set()


@repeated
async def put_stop(resources: Resources, account_id: int, lead_id: int, user_id: int, *, stopped: bool) -> None:
    """Stop all reminders of the deal, or resume them; steps that fell due meanwhile are not caught up."""
    now = resources.clock()
    async with account_unit(resources.database, account_id) as session:
        mine = (col(PaymentRequest.account_id) == account_id, col(PaymentRequest.lead_id) == lead_id)
        await session.exec(update(PaymentRequest).where(*mine, *still_chased(now)).values(remind_at=now))
        if stopped:
            await stop(session, account_id, lead_id, user_id, now)
        else:
            await go_on(session, account_id, lead_id)
        await request_work(session, account_id)
    resources.work_arrived.set()
