"""Links, reminders and bots while a process dies: one message at the most, and where none could go, a task."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crash.rig.databases import Sqlite
from tests.crash.rig.points import Point, points_of
from tests.crash.scenario import Scenario
from tests.crash.scenarios import chases
from tests.crash.scenarios.sendings import ALL
from tests.crash.sweep import Sweeps

LAST = 12
"""Of a run's places: there the worker looks at Stripe and Kommo, sends, and keeps what became of it."""
SAMPLE = 1
SHARE = {"reminders of a debt": 0.62, "paid before its reminder": 0.5, "bot waits at a step": 0.6}
"""Where in a run its sample is taken: near what is sent."""


@pytest.mark.parametrize("scenario", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("count", [SAMPLE, pytest.param(1000, marks=pytest.mark.full)], ids=["sample", "all"])
async def test_a_death_sends_nothing_twice(tmp_path: Path, scenario: Scenario, count: int) -> None:
    def choose(points: list[Point]) -> Sequence[Point]:
        return points if count > len(points) else points[-LAST :: LAST // count][:count]

    told = await Sweeps(tmp_path, Sqlite, 1).sweep(scenario, points_of, choose)
    assert not told.problems, "\n".join(told.problems)


@pytest.mark.parametrize("scenario", chases.ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.full)], ids=["sample", "all"])
async def test_a_death_reminds_nobody_twice_and_loses_no_bot(
    tmp_path: Path, scenario: Scenario, is_whole: bool
) -> None:
    def choose(points: list[Point]) -> Sequence[Point]:
        return points if is_whole else [points[int(len(points) * SHARE[scenario.name])]]

    told = await Sweeps(tmp_path, Sqlite, 2 if is_whole else 1).sweep(scenario, points_of, choose)
    assert not told.problems, "\n".join(told.problems)
