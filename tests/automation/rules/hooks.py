"""Hooks of an action in the pipeline, written by hand, and what the product answers to them."""

from typing import Any

import orjson

from sandbox.kommo import forms
from tests.world import World


def hook(
    key: Any, lead_id: Any, *, account: Any = None, stage: tuple[Any, Any] = (1, 2), at: Any = 1
) -> dict[str, Any]:
    """As Kommo's documents print it."""
    data = {"id": lead_id, "element_type": 2, "status_id": 2, "pipeline_id": 1}
    event = {"type": 15, "type_code": "lead_appeared_in_status", "data": data, "time": at}
    said: dict[str, Any] = {"event": event, "action": {"settings": {"widget": {"settings": {"payment_rule": key}}}}}
    return said if account is None else said | {"account_id": account}


def as_form(said: dict[str, Any]) -> bytes:
    pairs = [f"{name}={value}" for name, value in forms.flatten(said)]
    return "&".join(pairs).replace("[", "%5B").replace("]", "%5D").encode()


async def told(world: World, said: dict[str, Any], *, form: bool = False, kind: str = "", path: str = "rules") -> int:
    """The status of our answer; ``kind`` is the content type that the sender names."""
    body = as_form(said) if form else orjson.dumps(said)
    headers = {"content-type": kind} if kind else {}
    answer = await world.http.post(f"{world.url}/kommo/hooks/{path}", content=body, headers=headers)
    return answer.status_code
