"""Where Kommo's Digital Pipeline and bots call: answered at once, looked into later."""

from fastapi import APIRouter, Request

from backend.accounts.kommo_hooks import account_of_hook, hint
from backend.kommo_api.hooks import hinted_leads
from backend.web.http.deps import ResourcesDep
from backend.web.http.schemas import refusals

router = APIRouter(responses=refusals(404, 408, 413, 503))
BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}


@router.post("/kommo/hooks/{secret}", name="kommo_hook", openapi_extra=BODY)
async def kommo_hook(request: Request, resources: ResourcesDep, secret: str) -> dict[str, bool]:
    """Whatever it holds is 200 at the right address: Kommo switches off hooks that are answered badly.

    The address is looked up before the body is read: strangers can't make us hold half a megabyte.
    """
    account_id = await account_of_hook(resources, secret)
    await hint(resources, account_id, hinted_leads(await request.body()))
    return {"received": True}
