"""A bot made in the visual designer, with a widget's step in it: what the widget saved is read strictly and carried out
(docs/facts/kommo-automation.md 2)."""

import asyncio
import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sandbox.kommo.hooks.hooks import ask_widget
from sandbox.kommo.records import BotRun, Json
from sandbox.kommo.world import KommoWorld

LARGEST = 64 * 1024
_STEPS = 50
_PLACE = re.compile(r"\{\{([\w.]+)\}\}")


class BadBot(ValueError):
    """What a widget saved is no bot that Kommo runs."""


@dataclass
class BotLife:
    """``exit``: by which the bot left the widget's step; ``said``: ``{{json.…}}`` of its later blocks."""

    exit: str = ""
    said: Json = field(default_factory=dict)
    status: int = 0


def checked(saved: str, exits: Collection[str]) -> list[list[Json]]:
    """The handlers of each step. Raises ``BadBot``."""
    if len(saved.encode()) > LARGEST:
        raise BadBot("the bot is larger than 64 KB")
    steps = json.loads(saved)
    if not isinstance(steps, list) or not all(isinstance(one, dict) and set(one) == {"question"} for one in steps):
        raise BadBot("a bot is a list of steps with a question each")
    for handlers in (one["question"] for one in steps):
        for handler in handlers:
            _check(handler, len(steps), exits)
    return [one["question"] for one in steps]


def _check(handler: Json, steps: int, exits: Collection[str]) -> None:
    name, params = handler["handler"], handler["params"]
    if name == "goto" and not (params["type"] == "question" and 0 <= params["step"] < steps):
        raise BadBot(f"there is no step {params}")
    if name == "exits" and params["value"] not in exits:
        raise BadBot(f"there is no exit {params['value']}")
    if name == "widget_request" and not str(params["url"]).startswith(("https://", "http://127.0.0.1")):
        raise BadBot("a widget is asked at a web address")
    if name == "conditions":
        for result in params["result"]:
            _check(result, steps, exits)
    elif name not in ("goto", "exits", "widget_request"):
        raise BadBot(f"{name} is no handler of a widget's step")


async def run_bot(
    world: KommoWorld, client_id: str, lead_id: int, saved: str, exits: Collection[str], *, seconds: float = 20.0
) -> BotLife:
    """The bot comes to the widget's step for this deal, and goes on when it is told to."""
    steps, life = checked(saved, exits), BotLife()
    number, account = 0, world.account_of(client_id)
    for _ in range(_STEPS):
        following = None
        for handler in steps[number]:
            name, params = handler["handler"], handler["params"]
            if name == "widget_request":
                data = {key: _filled(world, lead_id, value) for key, value in params["data"].items()}
                sent = await ask_widget(world, client_id, lead_id, params["url"], data)
                life.status = sent.status
                if not 200 <= sent.status < 300 and world.switches.reads("salesbot_late", "fails"):
                    return life
                answer = await _continued(list(account.bots.values())[-1], seconds)
                life.said = answer.get("data", {})
                following = next((one["params"]["step"] for one in _gotos(answer)), None)
                if following is not None:
                    break
            else:
                following = _carried_out(handler, life)
            if life.exit:
                return life
            if following is not None:
                break
        if following is None:
            return life
        number = following
    raise BadBot("the bot runs in a circle")


def _gotos(answer: Json) -> list[Json]:
    return [one for one in answer.get("execute_handlers", []) if one["handler"] == "goto"]


def _carried_out(handler: Json, life: BotLife) -> int | None:
    """The step to go to, or None; an exit is noted."""
    name, params = handler["handler"], handler["params"]
    if name == "exits":
        life.exit = params["value"]
    elif name == "goto":
        return int(params["step"])
    elif name == "conditions" and all(_holds(one, life.said) for one in params["conditions"]):
        for result in params["result"]:
            return _carried_out(result, life)
    return None


def _holds(condition: Json, said: Json) -> bool:
    if condition["operation"] != "=":
        raise BadBot(f"no such operation: {condition['operation']}")
    found = _PLACE.fullmatch(condition["term1"])
    name = found[1].removeprefix("json.") if found else ""
    return str(said.get(name, "")) == str(condition["term2"])


def _filled(world: KommoWorld, lead_id: int, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    known = {"lead.id": str(lead_id)}
    empty = world.switches.reads("unfilled_placeholder", "empty")
    return _PLACE.sub(lambda found: known.get(found[1], "" if empty else found[0]), value)


async def _continued(run: BotRun, seconds: float) -> Json:
    for _ in range(int(seconds / 0.02)):
        if run.answer is not None:
            return run.answer
        await asyncio.sleep(0.02)
    raise BadBot("nobody told the bot to go on")
