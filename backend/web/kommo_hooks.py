"""Webhooks of Kommo's Digital Pipeline and bots: answered at once, processed later."""

from contextlib import suppress

from fastapi import APIRouter, Request

from backend.accounts.kommo_hooks import account_of_hook, hint
from backend.automation.rules.receive import receive
from backend.core.errors import HookUnknown
from backend.kommo_api.automation.stage_hooks import stage_hook
from backend.kommo_api.hooks import hinted_leads
from backend.web.http.deps import ResourcesDep
from backend.web.http.schemas import refusals

router = APIRouter(responses=refusals(404, 408, 413, 503))
BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}


@router.post("/kommo/hooks/rules", name="rule_hook", openapi_extra=BODY)
async def rule_hook(request: Request, resources: ResourcesDep) -> dict[str, bool]:
    """Store the hook of our Digital Pipeline action, sent as JSON or as a form, under the key of its rule.

    Returns ``{"received": true}``. Raises ``HookUnknown`` (404) without a known key, and ``LaneFull``.
    """
    hook = stage_hook(await request.body())
    if hook is None:
        raise HookUnknown("This hook names no rule. Open the action in Kommo's pipeline and save it again.")
    account_id = await receive(resources, hook)
    await hint(resources, account_id, [hook.lead_id])
    return {"received": True}


@router.post("/kommo/hooks/{secret}", name="kommo_hook", openapi_extra=BODY)
async def kommo_hook(request: Request, resources: ResourcesDep, secret: str) -> dict[str, bool]:
    """Answer 200 at an account's secret address, whatever the body holds, and have the named deals read again.

    Returns ``{"received": true}``. Kommo disables hooks after many error answers (docs/facts/kommo-api.md 12). The
    address is looked up before the body is read, so strangers can't make us buffer half a megabyte. Raises
    ``HookUnknown`` at any other address.
    """
    account_id = await account_of_hook(resources, secret)
    body = await request.body()
    hook = stage_hook(body)
    if hook is not None:
        with suppress(HookUnknown):  # another account's key: treat the hook as a plain hint that deals changed
            await receive(resources, hook, account_id)
    await hint(resources, account_id, hinted_leads(body))
    return {"received": True}
