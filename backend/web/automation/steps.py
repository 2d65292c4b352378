"""Where a Salesbot asks at a step of ours: proven, stored and answered at once; the bot is told by the worker."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from backend.automation.bot_steps.receive import Step, receive_step
from backend.core.errors import BadSignature
from backend.kommo_api.automation.bot_token import bot_request
from backend.web.http.deps import ResourcesDep
from backend.web.http.schemas import refusals

router = APIRouter(responses=refusals(403, 408, 413, 422, 503))
BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}
StepName = Annotated[Step, Path(description="Which step of the bot asks.")]


@router.post("/kommo/steps/{step}", name="bot_step", openapi_extra=BODY)
async def bot_step(request: Request, resources: ResourcesDep, step: StepName) -> dict[str, bool]:
    """200 within Kommo's two seconds; what the bot asked is found out and told by the account's worker."""
    asked = bot_request(await request.body())
    if asked is None:
        raise BadSignature("The body is no request of a bot's step.")
    await receive_step(resources, step, asked)
    return {"received": True}
