"""Kommo calling others: install, uninstall, account webhooks, the Digital Pipeline, Salesbot.

Sources: docs/facts/kommo-api.md 1.1, 3, 12.
"""

import asyncio
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import httpx

from sandbox.kommo import forms
from sandbox.kommo.accounts import jwts
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.hooks.parcels import collect
from sandbox.kommo.oauth.oauth import redirect
from sandbox.kommo.outbox import Parcel, next_wait
from sandbox.kommo.records import BotRun, Json, Webhook
from sandbox.kommo.traffic.log import Sent
from sandbox.kommo.world import KommoWorld
from sandbox.serving import NOBODY

_INSTALL_SECONDS = 3.0
_HOOK_SECONDS = 2.0
_SENDER = {"User-Agent": "amoService-oAuth-Code-Sender/1.0"}
_BAD_WINDOW, _BAD_MOST = 2 * 3600.0, 100


async def install(world: KommoWorld, client_id: str, user_id: int | None = None) -> Sent | None:
    """An admin presses *Install*. The redirect URI is called once, if this Kommo calls it at all."""
    integration = world.integrations[client_id]
    integration.installed = True
    if world.switches.reads("install_hook", "never"):
        return None
    code = world.issue_code(client_id, user_id)
    told = {"from_widget": "1"} if world.switches.reads("from_widget", "sent") else {}
    url = redirect(world, integration, code, state=None, **told)
    return await _send(world, "install", "GET", url, seconds=_INSTALL_SECONDS, headers=_SENDER)


async def disable(world: KommoWorld, client_id: str, *, forge: bool = False) -> list[Sent]:
    """An admin switches the integration off: its tokens die and the disable hook is sent.

    ``forge`` is somebody else calling the address with a wrong signature: nothing dies.
    """
    integration = world.integrations[client_id]
    if forge:
        return await _tell_disabled(world, integration, "0" * 64)
    integration.installed = False
    if world.switches.reads("disable_order", "tokens_first"):
        world.wallet.revoke(client_id)
    sent = await _tell_disabled(world, integration, signature(world, integration))
    world.wallet.revoke(client_id)
    return sent


def signature(world: KommoWorld, integration: Integration) -> str:
    message = f"{integration.client_id}|{integration.account_id}".encode()
    digest = hmac.new(integration.client_secret.encode(), message, hashlib.sha256).hexdigest()
    return digest.upper() if world.switches.reads("disable_signature", "upper") else digest


async def ask_widget(world: KommoWorld, client_id: str, lead_id: int, url: str, data: Json) -> Sent:
    """A bot comes to the widget's step: POST with a signed token and the address to continue at."""
    account = world.account_of(client_id)
    run = BotRun(world.ids.next("bot"), world.ids.next("continue"), lead_id, world.clock())
    account.bots[run.continue_id] = run
    token = jwts.salesbot_token(account, world.integrations[client_id], lead_id)
    host = world.base_url or f"https://{account.subdomain}.kommo.com"
    back = f"{host}/api/v4/salesbot/{run.bot_id}/continue/{run.continue_id}"
    body = {"token": token, "data": data, "return_url": back}
    if world.switches.reads("salesbot_body", "json"):
        return await _send(world, "salesbot", "POST", url, seconds=_HOOK_SECONDS, json=body)
    if world.switches.reads("salesbot_body", "form_json_data"):
        body["data"] = json.dumps(data)
    return await _send(world, "salesbot", "POST", url, seconds=_HOOK_SECONDS, data=dict(forms.flatten(body)))


async def deliver(world: KommoWorld) -> int:
    """Send every hook that is due; the number sent."""
    collect(world)
    parcels = world.outbox.take_due(world.clock())
    for parcel in parcels:
        await _deliver(world, parcel)
    return len(parcels)


async def keep_delivering(world: KommoWorld) -> None:
    """Runs as long as the world is served."""
    while True:
        await deliver(world)
        await asyncio.sleep(0.1)


async def _tell_disabled(world: KommoWorld, integration: Integration, signed: str) -> list[Sent]:
    if integration.disable_uri is None:
        return []
    query = {"client_uuid": integration.client_id, "account_id": integration.account_id, "signature": signed}
    url = f"{integration.disable_uri}?{urlencode(query)}"
    times = 2 if world.switches.reads("disable_repeats", "twice") else 1
    return [await _send(world, "disable", "GET", url, seconds=_INSTALL_SECONDS) for _ in range(times)]


async def _deliver(world: KommoWorld, parcel: Parcel) -> None:
    hook = _hook(world, parcel)
    if hook and hook.disabled:
        return
    extra: Json = {"json": parcel.json} if parcel.form is None else {"data": dict(parcel.form)}
    sent = await _send(world, parcel.kind, "POST", parcel.url, seconds=_HOOK_SECONDS, **extra)
    repeats = world.switches.reads("digital_pipeline_repeats", "four")
    wait = next_wait(parcel, sent.status, digital_pipeline_repeats=repeats)
    if wait is not None:
        world.outbox.waiting.append(replace(parcel, due=world.clock() + wait, tries=parcel.tries + 1))
    if hook and not 100 <= sent.status < 300:
        _count_bad(world, hook)


def _hook(world: KommoWorld, parcel: Parcel) -> Webhook | None:
    return world.accounts[parcel.account_id].webhooks.get(parcel.webhook_id or 0)


def _count_bad(world: KommoWorld, hook: Webhook) -> None:
    now = world.clock()
    hook.bad = [*(at for at in hook.bad if at > now - _BAD_WINDOW), now]
    hook.disabled = len(hook.bad) > _BAD_MOST


async def _send(world: KommoWorld, kind: str, method: str, url: str, *, seconds: float, **extra: Any) -> Sent:
    """The status is only remembered: nobody in Kommo looks at the body."""
    sent = Sent(world.clock(), kind, method, url, extra.get("json") or extra.get("data"))
    world.sent.append(sent)
    try:
        async with httpx.AsyncClient(timeout=seconds, verify=NOBODY) as http:
            sent.status = (await http.request(method, url, **extra)).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        sent.status = 0
    return sent
