"""Kommo calling others. A small server of the test's own listens on a real port."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import jwt
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.kommo.hooks import hooks
from sandbox.serving import serving
from tests.sandbox.kommo.conftest import Kommo


@dataclass
class Listener:
    """Answers ``status`` to everything and keeps what came."""

    base: str = ""
    status: int = 200
    heard: list[tuple[Request, bytes]] = field(default_factory=list)

    async def hear(self, request: Request) -> Response:
        self.heard.append((request, await request.body()))
        return Response(status_code=self.status)

    @property
    def query(self) -> dict[str, str]:
        return dict(self.heard[-1][0].query_params)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.heard[-1][1].decode(), keep_blank_values=True))


@pytest.fixture
async def listener(kommo: Kommo) -> AsyncIterator[Listener]:
    listener = Listener()
    app = Starlette(routes=[Route("/{rest:path}", listener.hear, methods=["GET", "POST"])])
    async with serving(app) as listener.base:
        kommo.integration.redirect_uri = f"{listener.base}/callback"
        kommo.integration.disable_uri = f"{listener.base}/uninstall"
        yield listener


async def hooked(kommo: Kommo, listener: Listener, *events: str) -> None:
    item = {"destination": f"{listener.base}/hook", "settings": list(events)}
    assert (await kommo.http.post("/api/v4/webhooks", json=item)).status_code == 200


async def test_the_install_hook_brings_a_living_code_once(kommo: Kommo, listener: Listener) -> None:
    kommo.play(install_hook="comes")
    listener.status = 500
    await hooks.install(kommo.world, kommo.integration.client_id)
    await hooks.deliver(kommo.world)
    assert len(listener.heard) == 1
    assert (listener.query["from_widget"], listener.query["client_id"]) == ("1", kommo.integration.client_id)
    assert "state" not in listener.query
    assert (await kommo.grant(grant_type="authorization_code", code=listener.query["code"])).status_code == 200


async def test_nothing_may_tell_that_the_install_hook_is_one(kommo: Kommo, listener: Listener) -> None:
    kommo.play(install_hook="comes", from_widget="absent")
    await hooks.install(kommo.world, kommo.integration.client_id)
    assert {"state", "from_widget"} & {*listener.query} == set()


async def test_for_private_integrations_no_install_hook_may_come(kommo: Kommo, listener: Listener) -> None:
    assert await hooks.install(kommo.world, kommo.integration.client_id) is None
    assert listener.heard == []


async def test_the_disable_hook_is_signed_and_the_tokens_are_dead(kommo: Kommo, listener: Listener) -> None:
    await hooks.disable(kommo.world, kommo.integration.client_id)
    message = f"{kommo.integration.client_id}|{kommo.account.id}".encode()
    expected = hmac.new(kommo.integration.client_secret.encode(), message, hashlib.sha256).hexdigest()
    assert listener.query["signature"] == expected
    assert (await kommo.http.get("/api/v4/account")).status_code == 401


async def test_a_forged_disable_hook_kills_nothing(kommo: Kommo, listener: Listener) -> None:
    await hooks.disable(kommo.world, kommo.integration.client_id, forge=True)
    assert listener.query["signature"] == "0" * 64
    assert (await kommo.http.get("/api/v4/account")).status_code == 200


async def test_a_moved_deal_is_told_in_form_encoding(kommo: Kommo, listener: Listener) -> None:
    await hooked(kommo, listener, "status_lead")
    before, after = kommo.lead.status_id, kommo.account.main_pipeline.statuses[2].id
    kommo.world.person().move_lead(kommo.lead.id, after)
    await hooks.deliver(kommo.world)
    told = {key: listener.form[f"leads[status][0][{key}]"] for key in ("id", "status_id", "old_status_id")}
    assert told == {"id": str(kommo.lead.id), "status_id": str(after), "old_status_id": str(before)}
    assert listener.form["account[subdomain]"] == "acme"


async def test_our_own_writes_echo_back(kommo: Kommo, listener: Listener) -> None:
    await hooked(kommo, listener, "update_lead", "note_lead")
    await kommo.http.patch(f"/api/v4/leads/{kommo.lead.id}", json={"name": "Renamed"})
    await hooks.deliver(kommo.world)
    assert listener.form["leads[update][0][name]"] == "Renamed"


async def test_a_server_error_is_repeated_after_5_15_15_and_60_minutes(kommo: Kommo, listener: Listener) -> None:
    await hooked(kommo, listener, "update_lead")
    listener.status = 503
    kommo.world.person().edit_lead(kommo.lead.id, name="Renamed")
    assert await hooks.deliver(kommo.world) == 1
    for minutes in (5, 15, 15, 60):
        assert await hooks.deliver(kommo.world) == 0
        kommo.clock.advance(minutes * 60)
        assert await hooks.deliver(kommo.world) == 1
    kommo.clock.advance(86400)
    assert await hooks.deliver(kommo.world) == 0


async def test_a_hook_that_fails_a_hundred_times_is_switched_off(kommo: Kommo, listener: Listener) -> None:
    await hooked(kommo, listener, "update_lead")
    listener.status = 404
    for number in range(102):
        kommo.world.person().edit_lead(kommo.lead.id, name=f"Name {number}")
    await hooks.deliver(kommo.world)
    assert (len(listener.heard), [hook.disabled for hook in kommo.account.webhooks.values()]) == (101, [True])


async def test_hooks_may_come_twice_and_last_first(kommo: Kommo, listener: Listener) -> None:
    kommo.play(hook_order="reversed_twice")
    await hooked(kommo, listener, "add_lead", "delete_lead")
    lead = kommo.account.add_lead("Short-lived")
    kommo.world.person().delete_lead(lead.id)
    await hooks.deliver(kommo.world)
    kinds = [next(iter(parse_qsl(body.decode())))[0].split("[")[1] for _, body in listener.heard]
    assert kinds[-4:] == ["delete]", "add]", "delete]", "add]"]


async def test_a_stage_with_our_block_tells_the_deal(kommo: Kommo, listener: Listener) -> None:
    stage = kommo.account.main_pipeline.statuses[2]
    body = {"pipeline_id": kommo.account.main_pipeline.id, "status_id": stage.id, "url": f"{listener.base}/dp"}
    await kommo.http.post("/_sandbox/triggers", json=body)
    kommo.world.person().move_lead(kommo.lead.id, stage.id)
    await hooks.deliver(kommo.world)
    told = kommo.world.sent[-1].body
    assert (told["event[data][id]"], told["account_id"]) == (str(kommo.lead.id), str(kommo.account.id))


async def test_a_bots_request_is_signed_and_continued_once(kommo: Kommo, listener: Listener) -> None:
    url = f"{listener.base}/bot"
    await hooks.ask_widget(kommo.world, kommo.integration.client_id, kommo.lead.id, url, {"a": 1})
    told = kommo.world.sent[-1].body
    secret = kommo.integration.client_secret
    claims = jwt.decode(told["token"], secret, algorithms=["HS512"], options={"verify_aud": False})
    assert (claims["entity_id"], claims["entity_type"]) == (kommo.lead.id, "2")
    path = told["return_url"].removeprefix("https://acme.kommo.com")
    goto = {"handler": "goto", "params": {"type": "question", "step": 1}}
    answer = {"data": {"status": "success"}, "execute_handlers": [goto]}
    eleven = {**answer, "execute_handlers": [{"handler": "show", "params": {}}] * 11}
    assert (await kommo.http.post(path, json=eleven)).status_code == 400
    assert (await kommo.http.post(path, json=answer)).status_code == 202
    assert (await kommo.http.post(path, json=answer)).status_code == 404
