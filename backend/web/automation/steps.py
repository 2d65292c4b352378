"""The route that a Salesbot calls at one of our steps: verified, stored and answered at once."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from backend.automation.bot_steps.receive import Step, receive_step
from backend.core.errors import BadSignature
from backend.kommo_api.automation.bot_token import bot_request
from backend.web.http.deps import ResourcesDep
from backend.web.http.schemas import refusals

router = APIRouter(responses=refusals(403, 408, 413, 422, 503))
BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}
StepName = Annotated[Step, Path(description="The step of the bot that calls.")]


@router.post("/kommo/steps/{step}", name="bot_step", openapi_extra=BODY)
async def bot_step(request: Request, resources: ResourcesDep, step: StepName) -> dict[str, bool]:
    """Store the bot's question and answer 200 within Kommo's two seconds (docs/facts/kommo-automation.md 2.3).

    Returns ``{"received": true}``; the worker finds the answer and continues the bot. Raises ``BadSignature`` or
    ``LaneFull``.
    """
    asked = bot_request(await request.body())
    if asked is None:
        raise BadSignature("The body is not a Salesbot request.")
    await receive_step(resources, step, asked)
    return {"received": True}
