"""A sweep: the same scenario again and again, each time with another stone in its way."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from tests.crash.rig.databases import Databases
from tests.crash.rig.lane import Beginning, Lane, open_lane
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import NeverQuiet
from tests.crash.scenario import Scenario, begin, judged, played


class Stone(Protocol):
    """Something that goes wrong at one place. Its text names it."""

    def prepare(self, play: Play) -> None:
        """Lay it in the play's way, and start the product."""

    async def judge(self, play: Play, scenario: Scenario) -> list[str]:
        """What is not as promised, when all is quiet."""


AnyStone = TypeVar("AnyStone", bound=Stone)


@dataclass(frozen=True)
class Swept(Generic[AnyStone]):
    """``known``: all stones that could be laid; ``missed`` were not stumbled over; ``problems`` in words."""

    known: int
    laid: int
    missed: int
    problems: list[str]


@dataclass(frozen=True)
class Ground:
    """Where sweeps run: ``lanes`` plays at a time, each lane with a folder and databases of its own."""

    folder: Path
    databases: Callable[[Path], Databases]
    lanes: int

    async def sweep(
        self,
        scenario: Scenario,
        stones: Callable[[Play], Iterable[AnyStone]],
        choose: Callable[[list[AnyStone]], Sequence[AnyStone]],
    ) -> Swept[AnyStone]:
        """One play that nobody disturbs tells the stones; then one play for each that was chosen."""
        async with AsyncExitStack() as stack:
            lanes = [await stack.enter_async_context(self._lane(number)) for number in range(self.lanes)]
            beginning = await begin(lanes[0], scenario)
            known = await _undisturbed(lanes[0], scenario, beginning, stones)
            waiting = list(reversed(chosen := list(choose(known))))
            told: list[tuple[bool, list[str]]] = []
            others = [(lane, await begin(lane, scenario)) for lane in lanes[1:]]
            begun = [(lanes[0], beginning), *others]
            await asyncio.gather(*(_work(lane, scenario, start, waiting, told) for lane, start in begun))
        problems = [problem for _, problems in told for problem in problems]
        return Swept(len(known), len(chosen), sum(not met for met, _ in told), problems)

    def _lane(self, number: int) -> AbstractAsyncContextManager[Lane]:
        folder = self.folder / f"lane{number}"
        folder.mkdir(parents=True)
        return open_lane(folder, self.databases(folder))


async def _undisturbed(
    lane: Lane, scenario: Scenario, beginning: Beginning, stones: Callable[[Play], Iterable[AnyStone]]
) -> list[AnyStone]:
    async with played(lane, scenario, beginning, lambda play: play.start()) as play:
        problems = await judged(play, scenario)
        assert not problems, f"{scenario.name}, undisturbed: {problems}"
        return list(stones(play))


async def _work(
    lane: Lane, scenario: Scenario, beginning: Beginning, waiting: list[AnyStone], told: list[tuple[bool, list[str]]]
) -> None:
    while waiting:
        stone = waiting.pop()
        try:
            async with played(lane, scenario, beginning, stone.prepare) as play:
                problems = await stone.judge(play, scenario)
                told.append((play.is_struck, [f"{scenario.name}, {stone}: {problem}" for problem in problems]))
        except (NeverQuiet, AssertionError, TimeoutError) as error:
            told.append((True, [f"{scenario.name}, {stone}: {type(error).__name__}: {error}"]))


def spread(stones: list[AnyStone], count: int) -> list[AnyStone]:
    """``count`` of them, evenly."""
    return [stones[len(stones) * (2 * place + 1) // (2 * count)] for place in range(min(count, len(stones)))]
