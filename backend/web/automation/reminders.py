"""A user's actions on a deal's reminders, in its card."""

from typing import Any

from fastapi import APIRouter, Request

from backend.accounts.permissions import check_lead
from backend.automation.reminders.card import chase_of, put_stop, send_now, skip
from backend.payments.find import find_request
from backend.payments.schemas import read
from backend.web.http.deps import ResourcesDep
from backend.web.http.due import RemindersAnswer, StepBody, StopBody, reminders_answer
from backend.web.http.json_body import json_body
from backend.web.http.schemas import body_of, refusals
from backend.web.widget import LeadId, UserDep

router = APIRouter(prefix="/widget", responses=refusals(400, 401, 403, 404, 409, 413, 422, 429, 502, 503))


@router.post("/deals/{lead_id}/reminders", openapi_extra=body_of(StopBody))
async def stop_reminders(request: Request, resources: ResourcesDep, user: UserDep, lead_id: LeadId) -> RemindersAnswer:
    """Stop or resume all reminders of the deal and return them; reminders that fell due meanwhile are not caught up.

    Raises as ``check_lead`` does.
    """
    body = read(StopBody, await json_body(request))
    await check_lead(resources, user.account, user.user_id, lead_id, "cancel")
    await put_stop(resources, user.account.id, lead_id, user.user_id, stopped=body.stopped)
    return reminders_answer(await chase_of(resources, user.account.id, lead_id))


@router.post("/requests/{request_id}/reminders/skip", openapi_extra=body_of(StepBody))
async def skip_reminder(request: Request, resources: ResourcesDep, user: UserDep, request_id: str) -> RemindersAnswer:
    """Skip the next reminder of a request and return the deal's reminders.

    Raises ``RequestNotFound``, or ``Conflict`` if it is not next any more.
    """
    return await _by_hand(request, resources, user, request_id, skip)


@router.post("/requests/{request_id}/reminders/send", openapi_extra=body_of(StepBody))
async def send_reminder(request: Request, resources: ResourcesDep, user: UserDep, request_id: str) -> RemindersAnswer:
    """Send the next reminder now instead of on its day, and return the deal's reminders.

    Raises ``RequestNotFound``, or ``Conflict`` if it is not next any more.
    """
    return await _by_hand(request, resources, user, request_id, send_now)


async def _by_hand(request: Request, resources: Any, user: Any, request_id: str, act: Any) -> RemindersAnswer:
    body = read(StepBody, await json_body(request))
    link = await find_request(resources, user.account.id, request_id)
    await check_lead(resources, user.account, user.user_id, link.request.lead_id, "cancel")
    await act(resources, user.account.id, link.request.id, body.step, user.user_id)
    return reminders_answer(await chase_of(resources, user.account.id, link.request.lead_id))
