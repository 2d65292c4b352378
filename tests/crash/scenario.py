"""A scenario: how things stood, what then happens, and what is to be seen in the end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.crash.invariants import broken
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.rig.slot import Beginning, Slot, beginning_of

Step = Callable[[KillableWorld], Awaitable[None]]


async def nothing(_world: KillableWorld) -> None:
    """The product never ran before: its database is empty."""


@dataclass(frozen=True)
class Scenario:
    """``before`` leads to the beginning that every run shares, ``then`` is what happens while things go wrong;
    ``seen`` asserts what this scenario promises beside the promises of all."""

    name: str
    before: Step
    then: Step
    seen: Callable[[KillableWorld], None]
    switches: Mapping[str, str] = field(default_factory=dict)
    """Of the local Kommo."""


async def begin(slot: Slot, scenario: Scenario) -> Beginning:
    """``before``, in a product that is not disturbed and stopped in the end as an operator stops it."""
    world = slot.first_world(scenario.switches, {})
    if scenario.before is nothing:
        return beginning_of(slot, world)
    async with slot.running(world):
        world.start()
        await scenario.before(world)
        await quiet(world)
        await world.stop()
    world.wire.passed.clear()
    assert not world.troubles, world.troubles
    return beginning_of(slot, world)


@asynccontextmanager
async def played(
    slot: Slot, scenario: Scenario, beginning: Beginning, prepare: Callable[[KillableWorld], None]
) -> AsyncIterator[KillableWorld]:
    """A world from the beginning to its quiet end; ``prepare`` arranges what goes wrong and starts the product."""
    world = beginning.again(slot)
    async with slot.running(world):
        prepare(world)
        await scenario.then(world)
        await quiet(world)
        yield world


async def judged(world: KillableWorld, scenario: Scenario) -> list[str]:
    """What is not as promised."""
    problems = await broken(world)
    try:
        scenario.seen(world)
    except AssertionError as error:
        problems.append(f"seen: {error}")
    return problems
