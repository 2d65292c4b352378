"""A sample of the sweeps: every second of the twelve scenarios is run with a death; in the full run each of them, with
a fault and with a person, too."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.crash.interventions import Intervention, interventions_of
from tests.crash.rig.databases import Sqlite
from tests.crash.rig.faults import Fault, faults_of
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.points import Point, points_of
from tests.crash.scenario import Scenario
from tests.crash.scenarios import MEDDLED, TWELVE
from tests.crash.sweep import Sweeps, Swept

AT_A_TIME = 3
STEP = 0.618
"""The golden ratio: from scenario to scenario the places spread over the whole run, and every kind comes up."""

Mishap = Point | Fault | Intervention


@pytest.mark.parametrize(("kinds", "step"), [(1, 2), pytest.param(3, 1, marks=pytest.mark.full)], ids=["deaths", "all"])
async def test_a_death_a_fault_and_a_person_break_no_promise(tmp_path: Path, kinds: int, step: int) -> None:
    turns = asyncio.Semaphore(AT_A_TIME)

    async def swept(place: int, scenario: Scenario) -> Swept[Mishap]:
        async with turns:
            sweeps = Sweeps(tmp_path / str(place), Sqlite, 1)
            return await sweeps.sweep(scenario, lambda world: _mishaps(world, place, scenario, kinds), list)

    told = await asyncio.gather(*(swept(place, scenario) for place, scenario in [*enumerate(TWELVE)][::step]))
    problems = [problem for one in told for problem in one.problems]
    assert not problems, "\n".join(problems)


def _mishaps(world: KillableWorld, place: int, scenario: Scenario, count_of_kinds: int) -> Iterator[Mishap]:
    """One of each kind."""
    kinds: list[list[Mishap]] = [[*points_of(world)], [*faults_of(world)]]
    if scenario.name in MEDDLED:
        kinds.append([*interventions_of(world)])
    for number, mishaps in zip(count(place * len(kinds)), kinds[:count_of_kinds], strict=False):
        yield mishaps[int(len(mishaps) * (number * STEP % 1))]
