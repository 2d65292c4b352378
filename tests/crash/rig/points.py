"""Where a process can die: at every request that it sends, and at every commit."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.crash.rig.child import AtCommit
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.wire import Meeting, Passing, at, body_of, hold_until_gone, nowhere, replay
from tests.crash.scenario import Scenario, judged

When = Literal["before", "after", "late"]
LATE_SECONDS = 2.0
"""A request that was abandoned is carried out when the next process has asked something, or after so long."""


@dataclass(frozen=True)
class Point:
    """``late``: the process is dead before the world carries the request out. Commits know only the other two."""

    kind: Literal["request", "commit"]
    number: int
    when: When
    what: str = ""

    def __str__(self) -> str:
        return f"killed {self.when} {self.kind} {self.number} {self.what}".rstrip()

    def prepare(self, world: KillableWorld) -> None:
        """Start the product so that it dies here."""
        world.is_slow = self.number % 2 == 1
        if self.kind == "commit":
            world.start(AtCommit(self.number, "before" if self.when == "before" else "after"))
            return
        world.wire.fate = at(self.number, killing(world, self.when))
        world.start()

    async def judge(self, world: KillableWorld, scenario: Scenario) -> list[str]:
        return await judged(world, scenario)


def points_of(world: KillableWorld) -> Iterator[Point]:
    """All points of a run that nobody disturbed."""
    for passing in world.wire.passed:
        whens: tuple[When, ...] = ("before", "after") if passing.method == "GET" else ("before", "after", "late")
        yield from (Point("request", passing.number, when, str(passing)) for when in whens)
    for number in range(world.clock.commits):
        yield from (Point("commit", number, when) for when in ("before", "after"))


def killing(world: KillableWorld, when: When) -> Meeting:
    """The process that sent this request dies."""
    return {"before": _before, "after": _after, "late": _late}[when](world)


def _before(world: KillableWorld) -> Meeting:
    async def meet(_passing: Passing, _world: ASGIApp, _scope: Scope, receive: Receive, _send: Send) -> None:
        await body_of(receive)
        await world.kill()
        await hold_until_gone(receive)

    return meet


def _after(world: KillableWorld) -> Meeting:
    async def meet(_passing: Passing, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def too_late(message: Message) -> None:
            if message["type"] == "http.response.start":
                await world.kill()
            await send(message)

        await app(scope, receive, too_late)

    return meet


def _late(world: KillableWorld) -> Meeting:
    async def meet(passing: Passing, app: ASGIApp, scope: Scope, receive: Receive, _send: Send) -> None:
        body = await body_of(receive)
        world.born.clear()
        await world.kill()
        await world.born.wait()
        arrives_at = time.monotonic() + LATE_SECONDS
        while time.monotonic() < arrives_at:
            if any(one.is_over for one in world.wire.passed[passing.number + 1 :]):
                break
            await asyncio.sleep(0.01)
        await app(scope, replay(body), nowhere)

    return meet
