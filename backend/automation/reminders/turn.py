"""A worker's turn at an account's reminders: for each due request the last check, then one row.

A row (request, step) is written in the unit of work that plans its sending, so no step is ever done twice.
"""

from dataclasses import dataclass

import structlog

from backend.automation.reminders.look import Hand, Over, Skip, Verdict, Wait, last_look, standing_of
from backend.automation.reminders.queue import due_requests, look_at, past_of
from backend.automation.reminders.schedule import Asked, Decision, Past, Step, decide, steps_of
from backend.automation.reminders.settings import Chasing, chasing_of
from backend.automation.reminders.stops import is_stopped
from backend.automation.reminders.write import Done, write
from backend.automation.sendings.hours import window_of
from backend.kommo_api.errors import KommoNotFound, KommoRefused
from backend.payments.find import Link, find_request
from backend.resources import Resources
from backend.work_queue.leases import Claim, fence

AT_MOST = 8
"""Requests of one turn: the account's payments wait meanwhile."""
REFUSED_SECONDS = 3600.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Case:
    """A request with everything that decides its next step."""

    link: Link
    chasing: Chasing
    past: list[Past]
    steps: tuple[Step, ...]
    decision: Decision


async def chase(resources: Resources, claim: Claim) -> None:
    """Process due reminders. Raises Kommo's errors that concern the whole account; the rest stays due."""
    async with resources.database.read() as session:
        due = await due_requests(session, claim.account_id, resources.clock(), AT_MOST)
    for request_id in due:
        await _one(resources, claim, await case_of(resources, claim.account_id, request_id))


async def case_of(resources: Resources, account_id: int, request_id: str) -> Case:
    """Return the request with its settings, past steps and decision."""
    link, now = await find_request(resources, account_id, request_id), resources.clock()
    async with resources.database.look() as session:
        chasing, since = await chasing_of(session, account_id)
        past = await past_of(session, account_id, request_id)
    asked = _asked(link)
    steps = steps_of(asked, chasing, since, past) if asked else ()
    return Case(link, chasing, past, steps, decide(steps, now))


def _asked(link: Link) -> Asked | None:
    """Return the data for the schedule; None if the request has no due date or belongs to the other mode."""
    if link.asked is None or link.asked.due_on is None:
        return None
    account = link.account
    return Asked(link.asked.due_on, link.asked.created_at, account.timezone, window_of(account).next_allowed)


async def _one(resources: Resources, claim: Claim, case: Case) -> None:
    standing = standing_of(case.link)
    if isinstance(standing, (Over, Wait)):
        await _again(resources, claim, case, standing)
        return
    if case.decision.act is None:
        await _again(resources, claim, case, None)
        return
    verdict = await _verdict(resources, case, case.decision.act)
    if isinstance(verdict, (Over, Wait)):
        await _again(resources, claim, case, verdict)
        return
    done = [*(Done(step, "skipped", "late") for step in case.decision.missed), _done(case, verdict)]
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await write(session, resources, case.link, done)
    resources.work_arrived.set()


async def _verdict(resources: Resources, case: Case, step: Step) -> Verdict:
    if await is_stopped(resources, case.link):
        return Skip("stopped")
    try:
        return await last_look(resources, case.link, step, case.chasing)
    except (KommoNotFound, KommoRefused) as refusal:
        log.warning("reminder deferred", account=case.link.account.id, reason=str(refusal))
        return Wait(REFUSED_SECONDS)


def _done(case: Case, verdict: Verdict) -> Done:
    step = case.decision.act
    assert step is not None
    match verdict:
        case Skip(reason):
            return Done(step, "skipped", reason)
        case Hand(reason):
            return Done(step, "task", reason)
        case _:
            pass
    if step.channel:
        return Done(step, "sent")
    return Done(step, "task", user_id=case.chasing.escalate_to if step.name == "escalated" else 0)


async def _again(resources: Resources, claim: Claim, case: Case, verdict: Over | Wait | None) -> None:
    now = resources.clock()
    moment = case.decision.next_at if verdict is None else now + verdict.seconds if isinstance(verdict, Wait) else None
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await look_at(session, claim.account_id, case.link.request.id, moment)
