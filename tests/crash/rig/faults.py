"""What can go wrong on the way of one request, at either world, in that world's own words."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.stripe.traffic.faults import Fault as StripeFault
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.wire import Meeting, Passing, Side, at, body_of, nowhere, replay
from tests.crash.scenario import Scenario, judged

KOMMO = {
    "429 JSON": "429_json",
    "429 HTML": "429_html",
    "500": "500_json",
    "502 HTML": "502_html",
    "504 after it was done": "504_after",
    "an empty 200 before it was done": "empty",
    "an empty 200 after it was done": "empty_after",
    "reset before": "drop_before",
    "reset after": "drop_after",
    "cut answer": "cut",
}
STRIPE = {
    "429 JSON": "rate_limit",
    "500": "server_error",
    "500 after it was done": "server_error_after",
    "502 HTML": "html_502",
    "502 HTML after it was done": "html_502_after",
    "reset before": "cut_before",
    "reset after": "cut_after",
    "cut answer": "cut_answer",
    "an empty 200 before it was done": "empty",
    "an empty 200 after it was done": "empty_after",
    "a page as 200 after it was done": "html_200_after",
    "a proxy's 403 after it was done": "html_403_after",
    "half an answer as all of it": "short_200",
}
NAMES: dict[Side, tuple[str, ...]] = {
    "kommo": (*KOMMO, "done after all"),
    "stripe": (*STRIPE, "429 HTML", "done after all"),
}
"""``done after all``: whoever asked has given up (a timeout), and then the world carries it out."""
LATE_SECONDS = 0.3


@dataclass(frozen=True)
class Fault:
    """Fault ``name`` meets the ``number``-th request."""

    number: int
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} at request {self.number} {self.what}"

    def prepare(self, world: KillableWorld) -> None:
        world.wire.fate = at(self.number, failing(world, self.name))
        world.start()

    async def judge(self, world: KillableWorld, scenario: Scenario) -> list[str]:
        return await judged(world, scenario)


def faults_of(world: KillableWorld) -> Iterator[Fault]:
    for passing in world.wire.passed:
        yield from (Fault(passing.number, name, str(passing)) for name in NAMES[passing.side])


def failing(world: KillableWorld, name: str) -> Meeting:
    """``name`` is one of NAMES of the request's side."""

    async def meet(passing: Passing, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        world.is_struck = True
        if name == "done after all":
            return await _done_after_all(app, scope, receive, send)
        if passing.side == "kommo" and name in KOMMO:
            world.kommo.faults.add(KOMMO[name], passing.path, method=passing.method)
        elif name in STRIPE:
            world.stripe.faults.order(StripeFault(STRIPE[name], passing.path, passing.method))
        else:
            return await _html_429(receive, send)
        return await app(scope, receive, send)

    return meet


async def _html_429(receive: Receive, send: Send) -> None:
    await body_of(receive)
    headers = [(b"content-type", b"text/html")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": b"<html><h1>429 Too Many Requests</h1></html>"})


async def _done_after_all(app: ASGIApp, scope: Scope, receive: Receive, send: Any) -> None:
    """The connection is reset, as by somebody on the way who was tired of waiting."""
    body = await body_of(receive)
    send.__self__.transport.abort()
    await asyncio.sleep(LATE_SECONDS)
    await app(scope, replay(body), nowhere)
