"""A sweep: the same scenario again and again, each time with another mishap."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from tests.crash.rig.databases import Databases
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import NeverQuiet
from tests.crash.rig.slot import Beginning, Slot, open_slot
from tests.crash.scenario import Scenario, begin, judged, played


class Mishap(Protocol):
    """Something that goes wrong at one place. Its text names it."""

    def prepare(self, world: KillableWorld) -> None:
        """Arrange for it in this world, and start the product."""

    async def judge(self, world: KillableWorld, scenario: Scenario) -> list[str]:
        """What is not as promised, when all is quiet."""


AnyMishap = TypeVar("AnyMishap", bound=Mishap)


@dataclass(frozen=True)
class Swept(Generic[AnyMishap]):
    """``known`` mishaps are possible, ``laid`` were arranged, ``missed`` did not occur; ``problems`` in words."""

    known: int
    laid: int
    missed: int
    problems: list[str]


@dataclass(frozen=True)
class Sweeps:
    """Where sweeps run: ``slots`` runs at a time, each slot with a folder and databases of its own."""

    folder: Path
    databases: Callable[[Path], Databases]
    slots: int

    async def sweep(
        self,
        scenario: Scenario,
        mishaps: Callable[[KillableWorld], Iterable[AnyMishap]],
        choose: Callable[[list[AnyMishap]], Sequence[AnyMishap]],
    ) -> Swept[AnyMishap]:
        """One undisturbed run tells which mishaps are possible; then one run for each that was chosen."""
        async with AsyncExitStack() as stack:
            slots = [await stack.enter_async_context(self._slot(number)) for number in range(self.slots)]
            beginning = await begin(slots[0], scenario)
            known = await _undisturbed(slots[0], scenario, beginning, mishaps)
            waiting = list(reversed(chosen := list(choose(known))))
            told: list[tuple[bool, list[str]]] = []
            others = [(slot, await begin(slot, scenario)) for slot in slots[1:]]
            begun = [(slots[0], beginning), *others]
            await asyncio.gather(*(_work(slot, scenario, start, waiting, told) for slot, start in begun))
        problems = [problem for _, problems in told for problem in problems]
        return Swept(len(known), len(chosen), sum(not met for met, _ in told), problems)

    def _slot(self, number: int) -> AbstractAsyncContextManager[Slot]:
        folder = self.folder / f"slot{number}"
        folder.mkdir(parents=True)
        return open_slot(folder, self.databases(folder))


async def _undisturbed(
    slot: Slot, scenario: Scenario, beginning: Beginning, mishaps: Callable[[KillableWorld], Iterable[AnyMishap]]
) -> list[AnyMishap]:
    async with played(slot, scenario, beginning, lambda world: world.start()) as world:
        problems = await judged(world, scenario)
        assert not problems, f"{scenario.name}, undisturbed: {problems}"
        return list(mishaps(world))


async def _work(
    slot: Slot, scenario: Scenario, beginning: Beginning, waiting: list[AnyMishap], told: list[tuple[bool, list[str]]]
) -> None:
    while waiting:
        mishap = waiting.pop()
        try:
            async with played(slot, scenario, beginning, mishap.prepare) as world:
                problems = await mishap.judge(world, scenario)
                told.append((world.is_struck, [f"{scenario.name}, {mishap}: {problem}" for problem in problems]))
        except (NeverQuiet, AssertionError, TimeoutError) as error:
            told.append((True, [f"{scenario.name}, {mishap}: {type(error).__name__}: {error}"]))


def spread(mishaps: list[AnyMishap], count: int) -> list[AnyMishap]:
    """``count`` of them, evenly."""
    return [mishaps[len(mishaps) * (2 * place + 1) // (2 * count)] for place in range(min(count, len(mishaps)))]
