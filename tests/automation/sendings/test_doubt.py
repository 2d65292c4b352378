"""What nobody knows is read back, and never sent a second time."""

import asyncio

import pytest

from backend.storage.models import Sending
from tests.automation.sendings.conftest import Desk

pytestmark = pytest.mark.anyio
SETTLED = 125.0
LOST = ("drop_after", "504_after", "empty_after", "cut")
"""The answer is lost after the call took effect."""


def _why(row: Sending) -> list[tuple[str, str]]:
    return [(one["channel"], one["why"]) for one in row.refusals if one["why"] != "no_bot"]


@pytest.mark.parametrize("fault", [*LOST, "nothing_after", "object_after"])
async def test_a_chat_message_whose_answer_was_lost_is_found_and_not_sent_again(desk: Desk, fault: str) -> None:
    desk.client_writes()
    desk.world.kommo.faults.add(fault, "send_message")
    await desk.plan(await desk.request())
    await desk.turn()
    assert (await desk.sent()).state == "doubtful"
    await desk.later(SETTLED)
    row = await desk.sent()
    assert (row.state, row.channel, _why(row)) == ("done", "chat", [])
    assert row.message_id == desk.world.account.chats.messages[-1].id
    assert (len(desk.messages), desk.tasks) == (1, [])


@pytest.mark.parametrize("fault", ["drop_before", "nothing", "object"])
async def test_a_chat_message_that_never_arrived_becomes_a_task_and_not_another_message(desk: Desk, fault: str) -> None:
    desk.client_writes()
    desk.world.kommo.faults.add(fault, "send_message")
    await desk.plan(await desk.request())
    await desk.turn()
    await desk.later(SETTLED)
    row = await desk.sent()
    assert (row.state, row.channel, _why(row)) == ("done", "task", [("chat", "unknown")])
    assert (desk.messages, len(desk.tasks)) == ([], 1)
    assert "not known" in desk.tasks[0]


@pytest.mark.parametrize("fault", [*LOST, "drop_before", "empty", "502_html"])
async def test_a_bot_whose_answer_was_lost_becomes_a_task(desk: Desk, fault: str) -> None:
    """Nobody can read back whether it was started: the chat, which could tell more, is not written to either."""
    await desk.bot()
    desk.client_writes()
    desk.world.kommo.faults.add(fault, "/run$")
    await desk.plan(await desk.request())
    await desk.turn()
    await desk.later(SETTLED)
    row = await desk.sent()
    assert (row.state, row.channel, _why(row)) == ("done", "task", [("bot", "unknown")])
    assert len(desk.messages) <= 1
    assert len(desk.world.account.chats.runs) <= 1
    assert len(desk.tasks) == 1


@pytest.mark.parametrize(("fault", "tasks"), [("drop_after", 1), ("drop_before", 1)])
async def test_a_task_whose_answer_was_lost_is_there_once(desk: Desk, fault: str, tasks: int) -> None:
    request = await desk.request()
    await desk.turn()
    desk.world.kommo.faults.add(fault, "/api/v4/tasks$", method="POST")
    await desk.plan(request, "rule", "task")
    await desk.turn()
    await desk.later(SETTLED)
    await desk.later(SETTLED)
    assert (await desk.sent()).state == "done"
    assert len(desk.tasks) == tasks


@pytest.mark.parametrize("channel", ["bot", "chat", "task"])
@pytest.mark.parametrize("fault", ["drop_late", "delay"])
async def test_a_process_that_dies_at_the_call_leaves_one_message_at_the_most(
    desk_on_both: Desk, channel: str, fault: str
) -> None:
    """The turn is cancelled at the call, as a kill ends it; what it had sent takes effect later."""
    desk = desk_on_both
    if channel == "bot":
        await desk.bot()
    desk.client_writes()
    request = await desk.request()
    await desk.turn()
    path = {"bot": "/run$", "chat": "send_message", "task": "/api/v4/tasks$"}[channel]
    desk.world.kommo.faults.add(fault, path, method="POST", seconds=0.3)
    await desk.plan(request, "rule", channel)  # type: ignore[arg-type]
    turn = asyncio.create_task(desk.turn("who dies"))
    await desk.world.until(lambda: any(one.fault for one in desk.world.kommo.requests))
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)
    assert (await desk.sent()).state in ("sent", "doubtful")
    await asyncio.sleep(0.4)  # what was on its way arrives
    for _ in range(3):
        await desk.later(SETTLED)
    row = await desk.sent()
    assert row.state == "done"
    assert len(desk.messages) <= 1
    assert len(desk.world.account.chats.runs) <= 1
    assert desk.messages or desk.tasks


async def test_two_workers_send_once(desk_on_both: Desk) -> None:
    """The second has taken the account over while the first slept: what the first was about to begin is refused."""
    desk = desk_on_both
    desk.client_writes()
    request = await desk.request()
    await desk.turn()
    await desk.plan(request)
    desk.world.kommo.faults.add("delay", "/talks", seconds=0.5)
    first = asyncio.create_task(desk.turn("first"))
    await desk.world.until(lambda: any(one.fault for one in desk.world.kommo.requests))
    desk.world.clock.advance(31)
    await desk.turn("second")
    await asyncio.gather(first, return_exceptions=True)
    assert (len(desk.messages), (await desk.sent()).state) == (1, "done")
