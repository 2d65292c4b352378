"""A sample of the sweeps: each of the twelve scenarios is played with a death; in the full run with a fault and with
a person, too."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.crash.people import Meddling, meddlings_of
from tests.crash.rig.databases import Sqlite
from tests.crash.rig.faults import Fault, faults_of
from tests.crash.rig.play import Play
from tests.crash.rig.points import Point, points_of
from tests.crash.scenario import Scenario
from tests.crash.scenarios import MEDDLED, TWELVE
from tests.crash.sweep import Ground, Swept

AT_A_TIME = 3
STEP = 0.618
"""The golden ratio: from scenario to scenario the places spread over the whole play, and every kind comes up."""

Stone = Point | Fault | Meddling


@pytest.mark.parametrize("kinds", [1, pytest.param(3, marks=pytest.mark.full)], ids=["deaths", "all"])
async def test_a_death_a_fault_and_a_person_break_no_promise(tmp_path: Path, kinds: int) -> None:
    turns = asyncio.Semaphore(AT_A_TIME)

    async def swept(place: int, scenario: Scenario) -> Swept[Stone]:
        async with turns:
            ground = Ground(tmp_path / str(place), Sqlite, 1)
            return await ground.sweep(scenario, lambda play: _stones(play, place, scenario, kinds), list)

    told = await asyncio.gather(*(swept(place, scenario) for place, scenario in enumerate(TWELVE)))
    problems = [problem for one in told for problem in one.problems]
    assert not problems, "\n".join(problems)


def _stones(play: Play, place: int, scenario: Scenario, count_of_kinds: int) -> Iterator[Stone]:
    """One of each kind."""
    kinds: list[list[Stone]] = [[*points_of(play)], [*faults_of(play)]]
    if scenario.name in MEDDLED:
        kinds.append([*meddlings_of(play)])
    for number, stones in zip(count(place * len(kinds)), kinds[:count_of_kinds], strict=False):
        yield stones[int(len(stones) * (number * STEP % 1))]
