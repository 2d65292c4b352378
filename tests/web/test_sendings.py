"""*Send* over HTTP: rights, repeated presses, and what the deal's answer tells."""

import uuid
from typing import Any

import httpx
import pytest

from backend.storage.models import Sending
from tests.automation.sendings.conftest import Desk, desk

__all__ = ["desk"]
pytestmark = pytest.mark.anyio


async def _send(desk: Desk, request_id: str, sending_id: str = "", user_id: int | None = None) -> httpx.Response:
    body = {"sending_id": sending_id or str(uuid.uuid4())}
    return await desk.world.rep.post(f"/widget/requests/{request_id}/send?lang=es", body, user_id=user_id)


async def _preview(desk: Desk, request_id: str) -> dict[str, Any]:
    world = desk.world
    answer = await world.http.get(f"{world.url}/widget/requests/{request_id}/sending", headers=world.token())
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_the_preview_names_the_way_that_is_open_now(desk: Desk) -> None:
    request = await desk.request()
    assert await _preview(desk, request["id"]) == {"channel": "task", "name": "", "message": ""}
    desk.client_writes()
    shown = await _preview(desk, request["id"])
    assert shown["channel"] == "chat"
    assert request["url"] in shown["message"]
    await desk.bot()
    assert (await _preview(desk, request["id"]))["name"] == "Ask"
    desk.world.kommo.faults.add("502_html", "/bots", times=0)
    desk.world.clock.advance(3600)
    assert (await _preview(desk, request["id"]))["channel"] == "chat"


async def test_a_press_is_sent_once_and_told_in_the_deal(desk: Desk) -> None:
    desk.client_writes()
    request, press = await desk.request(), str(uuid.uuid4())
    first, again = await _send(desk, request["id"], press), await _send(desk, request["id"], press)
    other_press = await _send(desk, request["id"])
    assert [one.status_code for one in (first, again, other_press)] == [202, 202, 202]
    assert first.json()["id"] == again.json()["id"] == other_press.json()["id"]
    assert first.json()["text"] == "Se enviará."
    await desk.turn()
    (line,) = (await desk.world.rep.deal())["sendings"]
    assert (line["text"], line["by"], line["request_id"]) == (
        "Sent in the chat.", desk.world.account.admin.id, request["id"],
    )  # fmt: skip
    assert len(desk.messages) == 1
    await _send(desk, request["id"], press)
    await desk.turn()
    assert len(desk.messages) == 1
    await _send(desk, request["id"])
    await desk.turn()
    assert len(desk.messages) == 2


async def test_what_is_paid_or_cancelled_can_t_be_sent(desk: Desk) -> None:
    cancelled, paid = await desk.request(), await desk.world.paid()
    await desk.world.rep.post(f"/widget/requests/{cancelled['id']}/cancel")
    for request in (cancelled, paid):
        answer = await _send(desk, request["id"])
        assert answer.status_code == 409, answer.text
    assert await desk.world.rows(Sending) == []


async def test_an_account_that_only_watches_sends_nothing(desk: Desk) -> None:
    request = await desk.request()
    await desk.world.stored.set_options(shadow=True)
    assert (await _send(desk, request["id"])).status_code == 409


async def test_who_may_not_see_the_deal_may_not_send(desk: Desk) -> None:
    world = desk.world
    request = await desk.request(lead_id=list(world.account.leads)[1])
    outsider = world.account.add_salesperson("Rep", "rep@shop.example")
    assert (await _send(desk, request["id"], user_id=outsider.id)).status_code == 403
    await world.stored.set_options(create=[])
    assert (await _send(desk, request["id"])).status_code == 403
    assert (await _send(desk, str(uuid.uuid4()))).status_code == 404
    bad = await world.rep.post(f"/widget/requests/{request['id']}/send", {"sending_id": "x"})
    assert bad.status_code in (403, 422)
    assert await world.rows(Sending) == []
