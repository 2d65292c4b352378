"""*Send* in the deal card: the preview of a sending, and the sending."""

from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from backend.accounts.permissions import check_lead
from backend.automation.sendings.by_person import preview, send_by_person
from backend.automation.sendings.lines import line_of
from backend.core.errors import RequestNotFound
from backend.payments.find import Link, find_request
from backend.payments.schemas import read
from backend.web.http.deps import ResourcesDep
from backend.web.http.json_body import json_body
from backend.web.http.schemas import refusals
from backend.web.http.sending_schemas import SendingAnswer, SendingPreview, sending_answer
from backend.web.widget import Language, UserDep

router = APIRouter(prefix="/widget", responses=refusals(400, 401, 403, 404, 409, 413, 422, 429, 502, 503))


class SendBody(BaseModel):
    """One press of Send; ``sending_id`` is made by the widget, so that a repeated call sends nothing."""

    model_config = ConfigDict(extra="ignore")

    sending_id: UUID


@router.get("/requests/{request_id}/sending", response_model_exclude_unset=True)
async def preview_sending(resources: ResourcesDep, user: UserDep, request_id: str) -> SendingPreview:
    """Return the channel by which the link would go now, and the text that the client would read.

    Raises ``RequestNotFound``.
    """
    shown = await preview(resources, await _mine(resources, user, request_id))
    return SendingPreview(channel=shown.channel, name=shown.name, message=shown.message)


@router.post(
    "/requests/{request_id}/send",
    status_code=202,
    response_model_exclude_unset=True,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": SendBody.model_json_schema()}}}
    },
)
async def send_request(
    request: Request, resources: ResourcesDep, user: UserDep, request_id: str, lang: Language = "en"
) -> SendingAnswer:
    """Send the link to the client, at night too, since a person asked for it; returns the sending in ``lang``.

    The deal's answer shows its progress. Raises ``RequestNotFound``, ``Conflict`` or ``TooManySendings``.
    """
    body = read(SendBody, await json_body(request))
    link = await _mine(resources, user, request_id)
    row = await send_by_person(resources, link, user.user_id, str(body.sending_id))
    return sending_answer(line_of(row, lang))


async def _mine(resources: ResourcesDep, user: UserDep, request_id: str) -> Link:
    """Return the request if the user may ask this deal's client for money. Raises ``RequestNotFound``."""
    link = await find_request(resources, user.account.id, request_id)
    access = await check_lead(resources, user.account, user.user_id, link.request.lead_id, "create")
    if access.own_only and (link.asked is None or link.asked.created_by != user.user_id):
        raise RequestNotFound("There is no such payment.")
    return link
