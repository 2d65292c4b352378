"""Where Kommo's Digital Pipeline and bots call: answered at once, looked into later."""

from fastapi import APIRouter, Request

from backend.accounts.kommo_hooks import hint
from backend.core.errors import BodyTooLarge
from backend.kommo_api.hooks import hinted_leads
from backend.web.http.deps import ResourcesDep
from backend.web.http.schemas import refusals

router = APIRouter(responses=refusals(404, 413, 503))
BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}
MAX_BYTES = 512 * 1024


@router.post("/kommo/hooks/{secret}", name="kommo_hook", openapi_extra=BODY)
async def kommo_hook(request: Request, resources: ResourcesDep, secret: str) -> dict[str, bool]:
    """Whatever it holds is 200 at the right address: Kommo switches off hooks that are answered badly."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise BodyTooLarge("The request is larger than anything that Kommo sends.")
    await hint(resources, secret, hinted_leads(bytes(body)))
    return {"received": True}
