"""Each channel, what stands in its way, and what comes after a definite no."""

from typing import Any

import pytest

from backend.automation.sendings.channels.refusals import refusal_of
from backend.deal_sync.merges.feed import look_for_merges
from backend.kommo_api.errors import KommoRefused
from backend.storage.models import Sending
from sandbox.kommo.accounts.chat_acts import open_talk
from tests.automation.sendings.conftest import Desk

pytestmark = pytest.mark.anyio
HOUR = 3600.0


def _state(row: Sending) -> tuple[str, str, str]:
    return row.state, row.channel, row.delivery


def _why(row: Sending) -> list[tuple[str, str]]:
    return [(one["channel"], one["why"]) for one in row.refusals]


async def test_a_bot_runs_only_after_the_deal_shows_the_link(desk: Desk) -> None:
    await desk.bot()
    desk.client_writes()
    request = await desk.request()
    await desk.plan(request)
    await desk.turn()
    assert desk.messages == [f"Pay here: {request['url']}"]
    assert _state(await desk.sent()) == ("done", "bot", "")
    asked = [(one.method, one.path) for one in desk.world.kommo.requests]
    run = next(place for place, one in enumerate(asked) if one[1].endswith("/run"))
    assert ("PATCH", "/api/v4/leads") in asked[:run]


async def test_a_deal_that_can_t_be_written_starts_no_bot(desk: Desk) -> None:
    await desk.bot()
    request = await desk.request()
    desk.world.kommo.faults.add("422_json", "/api/v4/leads$", method="PATCH", times=0)
    await desk.plan(request)
    await desk.turn()
    assert (await desk.sent()).state == "waiting"
    await desk.later(HOUR)
    assert _why(await desk.sent())[0] == ("bot", "not_written")
    assert not desk.world.account.chats.runs
    assert request["url"] in desk.tasks[0]


async def test_the_older_of_two_links_is_not_sent_by_a_bot_that_would_say_the_newer(desk: Desk) -> None:
    await desk.bot()
    desk.client_writes()
    older = await desk.request(amount="10.00")
    await desk.turn()
    desk.world.clock.advance(5)
    await desk.request(amount="20.00")
    await desk.plan(older)
    await desk.turn()
    row = await desk.sent()
    assert _why(row) == [("bot", "other_link")]
    assert row.channel == "chat"
    assert len(desk.messages) == 1
    assert older["url"] in desk.messages[0]


async def test_a_message_goes_into_the_open_chat_and_its_delivery_is_read_back(desk_on_both: Desk) -> None:
    desk = desk_on_both
    desk.client_writes()
    request = await desk.request()
    await desk.plan(request)
    await desk.turn()
    row = await desk.sent()
    assert _state(row) == ("done", "chat", "sent")
    assert _why(row) == [("bot", "no_bot")]
    assert request["url"] in desk.messages[0]
    assert "120" in desk.messages[0]
    await desk.later(121)
    assert _state(await desk.sent()) == ("done", "chat", "delivered")
    assert (await desk.sent()).due_at is None


@pytest.mark.parametrize(
    ("stands_in_the_way", "why"),
    [
        ("no talk", "no_talk"),
        ("window", "window_closed"),
        ("scope", "scope"),
        ("quota", "quota"),
        ("tariff", "quota"),
        ("closed meanwhile", "talk_closed"),
    ],
)
async def test_what_stands_in_the_way_of_a_chat_makes_a_task_that_says_so(
    desk: Desk, stands_in_the_way: str, why: str
) -> None:
    world = desk.world
    request = await desk.request()
    if stands_in_the_way != "no talk":
        desk.client_writes()
    if stands_in_the_way == "window":
        world.clock.advance(24 * HOUR)
    if stands_in_the_way == "scope":
        world.kommo.switches.set("chat_scopes", "absent")
    if stands_in_the_way in ("quota", "tariff"):
        world.account.chats.quota = None if stands_in_the_way == "tariff" else 0
        world.kommo.switches.set("over_quota", "402_tariff" if stands_in_the_way == "tariff" else "402_limit")
    if stands_in_the_way == "closed meanwhile":
        world.kommo.faults.add("422_json", "send_message")
    await desk.plan(request)
    await desk.turn()
    row = await desk.sent()
    assert _state(row) == ("done", "task", "")
    assert _why(row)[1][0] == "chat"
    assert _why(row)[1][1] == (why if why != "talk_closed" else "refused")
    assert desk.messages == []
    assert len(desk.tasks) == 1
    assert request["url"] in desk.tasks[0]


@pytest.mark.parametrize(
    ("answer", "why"), [("402", "plan"), ("403_json", "no_right"), ("422_json", "refused"), ("gone", "bot_missing")]
)
async def test_a_bot_that_can_t_be_started_leaves_the_chat(desk: Desk, answer: str, why: str) -> None:
    made = await desk.bot()
    desk.client_writes()
    if answer == "gone":
        del desk.world.account.chats.salesbots[made.id]
    else:
        desk.world.kommo.faults.add(answer, "/run$")
    await desk.plan(await desk.request())
    await desk.turn()
    row = await desk.sent()
    assert _why(row) == [("bot", why)]
    assert row.channel == "chat"
    assert len(desk.messages) == 1


def test_a_talk_that_was_closed_meanwhile_is_named() -> None:
    closed = KommoRefused("Talk is closed", by_request={}, by_lead={})
    assert refusal_of("chat", closed).why == "talk_closed"
    assert refusal_of("bot", closed).why == "refused"


async def test_what_kommo_could_not_deliver_goes_by_the_next_channel(desk: Desk) -> None:
    desk.client_writes()
    desk.world.kommo.switches.set("delivery", "error")
    await desk.plan(await desk.request())
    await desk.turn()
    await desk.later(121)
    row = await desk.sent()
    assert _why(row)[-1] == ("chat", "not_delivered")
    assert _state(row) == ("done", "task", "")
    assert len(desk.messages) == 1
    assert len(desk.tasks) == 1


async def test_a_kommo_that_stays_silent_leaves_it_unknown(desk: Desk) -> None:
    desk.client_writes()
    desk.world.kommo.switches.set("delivery", "silent")
    await desk.plan(await desk.request())
    await desk.turn()
    await desk.later(121)
    assert _state(await desk.sent()) == ("done", "chat", "unknown")
    await desk.later(1800)
    row = await desk.sent()
    assert (row.delivery, row.due_at, len(desk.messages), len(desk.tasks)) == ("unknown", None, 1, 0)


async def test_talks_of_others_are_left_out_where_kommo_passes_over_the_filter(desk: Desk) -> None:
    other = list(desk.world.account.leads)[1]
    desk.client_writes(other)
    talk = open_talk(desk.world.account, other)
    assert talk is not None
    foreign = await _everything(desk)
    assert talk.talk_id in foreign
    await desk.plan(await desk.request())
    await desk.turn()
    assert _why(await desk.sent())[-1] == ("chat", "no_talk")
    assert desk.messages == []


async def _everything(desk: Desk) -> list[Any]:
    """What comes back by a plural filter, which Kommo does not know."""
    pair = desk.world.kommo.issue_pair(desk.world.integration.client_id, desk.world.account.admin.id)
    answer = await desk.world.http.get(
        f"{desk.world.kommo_address}/api/v4/talks?filter[entity_type]=leads&filter[entity_id]={desk.lead_id}",
        headers={"Authorization": f"Bearer {pair.access}"},
    )
    return [one["talk_id"] for one in answer.json()["_embedded"]["talks"]]


@pytest.mark.parametrize("reading", ["validation_errors", "keyed_by_lead", "silent"])
async def test_the_task_of_a_user_who_was_switched_off_goes_to_an_administrator(desk: Desk, reading: str) -> None:
    world = desk.world
    request = await desk.request()
    await desk.turn()
    world.kommo.switches.set("bad_request", reading)
    world.kommo.person().deactivate_user(world.first_deal.responsible_user_id)
    await desk.plan(request)
    await desk.turn()
    assert _state(await desk.sent()) == ("done", "task", "")
    assert [one.responsible_user_id for one in world.account.tasks.values()] == [world.account.admin.id]


async def test_a_deal_that_was_merged_gets_the_message_at_the_one_that_stays(desk: Desk) -> None:
    request = await desk.request()
    await desk.turn()
    await look_for_merges(desk.world.resources)  # from now on the feed is read
    other = list(desk.world.account.leads)[1]
    await desk.plan(request)
    desk.client_writes(other)
    desk.world.kommo.person().merge_leads(other, desk.lead_id)
    await desk.turn()
    assert (await desk.sent()).state == "waiting"
    desk.world.clock.advance(700)
    await look_for_merges(desk.world.resources)
    await desk.turn()
    await desk.later(61)
    row = await desk.sent()
    assert (row.state, row.lead_id) == ("done", other)
    assert len(desk.messages) == 1
