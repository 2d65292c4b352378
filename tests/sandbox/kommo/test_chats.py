"""Bots, talks and messages, in each reading of what is not known of them."""

import pytest

from sandbox.kommo.accounts.chat_acts import add_bot, client_writes, open_talk
from tests.sandbox.kommo.conftest import Kommo

RUN = {"entity_type": "leads"}
TALKS = "/api/v4/talks"


async def _run(kommo: Kommo, bot_id: int, status: int = 202) -> str:
    answer = await kommo.http.post(f"/api/v4/bots/{bot_id}/run", json=RUN | {"entity_id": kommo.lead.id})
    assert answer.status_code == status, answer.text
    return answer.text


def _talk(kommo: Kommo) -> int:
    client_writes(kommo.account, kommo.lead.id, "Hello")
    talk = open_talk(kommo.account, kommo.lead.id)
    assert talk is not None
    return talk.talk_id


async def _said(kommo: Kommo, talk_id: int, text: str, status: int = 202) -> str:
    answer = await kommo.http.post(f"{TALKS}/{talk_id}/send_message", json={"text": text})
    assert answer.status_code == status, answer.text
    return str(answer.json().get("id") or answer.json().get("detail"))


async def _delivery(kommo: Kommo, talk_id: int) -> object:
    return (await kommo.read(f"{TALKS}/{talk_id}/messages"))["_embedded"]["messages"][0]["delivery_status"]


async def test_bots_are_listed_under_items_and_run_as_text(kommo: Kommo) -> None:
    assert (await kommo.http.get("/api/v4/bots")).status_code == 204
    field = kommo.account.add_field("Link", "url")
    kommo.lead.values[field.id] = [{"value": "https://pay"}]
    made = add_bot(kommo.account, "Ask", f"Pay: {{{{lead.cf.{field.id}}}}}")
    talk = _talk(kommo)
    (row,) = (await kommo.read("/api/v4/bots"))["_embedded"]["items"]
    assert (row["id"], row["name"], row["settings"]) == (made.id, "Ask", {"active": True})
    assert await _run(kommo, made.id) == "Accepted"
    assert kommo.account.chats.of_talk(talk)[-1].text == "Pay: https://pay"
    kommo.play(run_body="empty")
    assert await _run(kommo, made.id) == ""
    await _run(kommo, made.id + 1, 404)
    many = await kommo.http.post("/api/v4/bots/run", json=[RUN | {"entity_id": kommo.lead.id, "bot_id": made.id}])
    assert many.status_code == 202
    assert len(kommo.account.chats.of_talk(talk)) == 4


@pytest.mark.parametrize(
    ("reading", "states"),
    [("swallowed", ["runs", "swallowed"]), ("second_ends_first", ["stopped", "runs"]), ("refused", ["runs"])],
)
async def test_a_second_bot_for_a_deal(kommo: Kommo, reading: str, states: list[str]) -> None:
    kommo.play(bot_busy=reading)
    made = add_bot(kommo.account, "Ask", "Hello", waits=True)
    await _run(kommo, made.id)
    await _run(kommo, made.id, 400 if reading == "refused" else 202)
    assert [run.state for run in kommo.account.chats.runs] == states
    body = RUN | {"entity_id": kommo.lead.id}
    assert (await kommo.http.post(f"/api/v4/bots/{made.id}/stop", json=body)).status_code == 202
    assert all(run.state != "runs" for run in kommo.account.chats.runs)


async def test_a_plural_filter_is_none_and_brings_everything(kommo: Kommo) -> None:
    kommo.play(chat_scopes="present")
    mine, other = _talk(kommo), list(kommo.account.leads)[1]
    client_writes(kommo.account, other, "Me too")
    singular = f"{TALKS}?filter[entity_type]=lead&filter[entity_id]={kommo.lead.id}&filter[only_in_work]=1"
    assert [one["talk_id"] for one in (await kommo.read(singular))["_embedded"]["talks"]] == [mine]
    plural = singular.replace("=lead&", "=leads&")
    newest_first = [one["talk_id"] for one in (await kommo.read(plural))["_embedded"]["talks"]]
    kommo.play(talks_order="oldest_first")
    assert newest_first[::-1] == [one["talk_id"] for one in (await kommo.read(plural))["_embedded"]["talks"]]
    assert newest_first[-1] == mine
    assert len(newest_first) == 2


async def test_a_message_needs_scope_quota_and_an_open_talk(kommo: Kommo) -> None:
    talk, chats = _talk(kommo), kommo.account.chats
    assert await _said(kommo, talk, "Hi", 403) == "Invalid scope"
    kommo.play(chat_scopes="present")
    chats.quota = 1
    await _said(kommo, talk, "Hi")
    assert await _said(kommo, talk, "Hi", 402) == "Over chat API limit"
    kommo.play(over_quota="402_tariff")
    chats.quota = None
    assert "tariff" in await _said(kommo, talk, "Hi", 402)
    chats.quota = 5
    await _said(kommo, talk, " ", 400)
    assert (await kommo.http.post(f"{TALKS}/{talk}/close", json={"force_close": True})).status_code == 202
    assert await _said(kommo, talk, "Hi", 422) == "Talk is closed"
    assert await _said(kommo, talk + 1, "Hi", 404) == "Requested entity not found"


@pytest.mark.parametrize(("reading", "later"), [("delivered", "delivered"), ("error", "error"), ("silent", None)])
async def test_what_becomes_of_a_message(kommo: Kommo, reading: str, later: str | None) -> None:
    kommo.play(chat_scopes="present", delivery=reading)
    talk = _talk(kommo)
    await _said(kommo, talk, "Hi")
    kommo.clock.advance(60)
    assert await _delivery(kommo, talk) == later


async def test_outside_the_24_hours_a_message_is_accepted_and_fails(kommo: Kommo) -> None:
    kommo.play(chat_scopes="present")
    talk = _talk(kommo)
    kommo.clock.advance(24 * 3600 + 60)
    pair = kommo.world.issue_pair(kommo.integration.client_id, kommo.account.admin.id)
    kommo.http.headers["Authorization"] = f"Bearer {pair.access}"
    await _said(kommo, talk, "Hi")
    kommo.clock.advance(60)
    assert await _delivery(kommo, talk) == "error"
