"""Bots that come to a step of ours, and bots that wait there for the payment, while something dies."""

import asyncio
import time

from sqlmodel import col, select

from backend.storage.models import BotStep
from sandbox.kommo.hooks.hooks import ask_widget
from tests.crash.actions import pays, stubbornly
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.chases import puts
from tests.crash.scenarios.shop import linked, ruled

LOOK_SECONDS = 30.0


async def _with_a_rule(world: KillableWorld) -> None:
    """A deal with a contact and a price, and the key of a rule for the bot's step."""
    world.memory["key"] = await ruled(world)
    await quiet(world)


async def _a_bot_comes(world: KillableWorld) -> None:
    await _comes(world, "payment_link", world.memory["deals"][0], payment_rule=world.memory["key"])


async def _comes(world: KillableWorld, step: str, lead_id: int, **params: str) -> int:
    """A bot that is not answered in time ends there, and a person starts it again; the last one's id."""
    url, data = f"{world.url}/kommo/steps/{step}", params | {"lead": str(lead_id)}

    async def taken() -> bool | None:
        sent = await ask_widget(world.kommo, world.integration.client_id, lead_id, url, data)
        return True if sent.status == 200 else None

    await stubbornly(world, taken)
    return list(world.kommo.account.bots)[-1]


def _told_of_one_link(world: KillableWorld) -> None:
    """Each bot goes on once, the last one with a link; whatever link was told, one session can be paid."""
    answers = [one.answer for one in world.kommo.account.bots.values() if one.answer is not None]
    told = {answer["data"]["link"] for answer in answers}
    sessions = [one for one in world.shelf.objects["checkout.session"].values() if one["status"] == "open"]
    assert list(world.kommo.account.bots.values())[-1].answer is not None, "the bot waits for ever"
    assert len(told) == 1, told
    assert all(told), "a bot was given no link"
    assert [one["amount_total"] for one in sessions] == [12_000]


async def _bots_may_wait(world: KillableWorld) -> None:
    """Two deals with a link each."""
    await linked(2)(world)
    await puts(world, "options", {"bot_waits": True})


async def _two_wait_and_one_is_paid(world: KillableWorld) -> None:
    paid, unpaid = world.memory["deals"]
    world.memory["bots"] = [
        await _comes(world, "is_it_paid", paid, wait_hours="24"),
        await _comes(world, "is_it_paid", unpaid, wait_hours="2"),
    ]
    end = time.monotonic() + LOOK_SECONDS
    while await _unseen(world) and time.monotonic() < end:
        world.clock.advance(1.0)
        await asyncio.sleep(0.05)
    await pays(world, world.memory["links"][0])


async def _unseen(world: KillableWorld) -> bool:
    """Whether the worker has not looked at a bot yet."""
    async with world.database.read() as session:
        return (await session.exec(select(BotStep).where(col(BotStep.state) == "new"))).first() is not None


def _each_left_once(world: KillableWorld) -> None:
    """Both went on, the one when its deal was paid, the other when its hours were over. Kommo moves a bot once; a call
    is repeated at the most where the process died around it."""
    account = world.kommo.account
    left = {one.continue_id: str(one.answer["data"]["exit"]) for one in account.bots.values() if one.answer}
    assert [left.get(one) for one in world.memory["bots"]] == ["paid", "open"], left
    for one in account.bots:
        calls = [call for call in world.kommo.requests if call.path.endswith(f"/continue/{one}")]
        assert len(calls) <= 1 + world.deaths, (one, len(calls))


ALL = (
    Scenario("bot waits at a step", _with_a_rule, _a_bot_comes, _told_of_one_link),
    Scenario("bots wait for the payment", _bots_may_wait, _two_wait_and_one_is_paid, _each_left_once),
)
