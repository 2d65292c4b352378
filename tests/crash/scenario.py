"""A scenario: how things stood, what then happens, and what is to be seen in the end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.crash.promises import broken
from tests.crash.rig.lane import Beginning, Lane, beginning_of
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import quiet

Step = Callable[[Play], Awaitable[None]]


async def nothing(_play: Play) -> None:
    """The product never ran before: its database is empty."""


@dataclass(frozen=True)
class Scenario:
    """``before`` leads to the beginning that every play shares, ``then`` is what happens while things go wrong;
    ``seen`` asserts what this scenario promises beside the promises of all."""

    name: str
    before: Step
    then: Step
    seen: Callable[[Play], None]
    switches: Mapping[str, str] = field(default_factory=dict)
    """Of the local Kommo."""


async def begin(lane: Lane, scenario: Scenario) -> Beginning:
    """``before``, in a product that is not disturbed and stopped in the end as an operator stops it."""
    play = lane.first_play(scenario.switches, {})
    if scenario.before is nothing:
        return beginning_of(lane, play)
    async with lane.playing(play):
        play.start()
        await scenario.before(play)
        await quiet(play)
        await play.stop()
    play.wire.passed.clear()
    assert not play.troubles, play.troubles
    return beginning_of(lane, play)


@asynccontextmanager
async def played(
    lane: Lane, scenario: Scenario, beginning: Beginning, prepare: Callable[[Play], None]
) -> AsyncIterator[Play]:
    """A play from the beginning to its quiet end; ``prepare`` lays the stones in its way and starts the product."""
    play = beginning.again(lane)
    async with lane.playing(play):
        prepare(play)
        await scenario.then(play)
        await quiet(play)
        yield play


async def judged(play: Play, scenario: Scenario) -> list[str]:
    """What is not as promised."""
    problems = await broken(play)
    try:
        scenario.seen(play)
    except AssertionError as error:
        problems.append(f"seen: {error}")
    return problems
