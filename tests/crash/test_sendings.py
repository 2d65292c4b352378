"""Links, reminders and bots while a process dies: one message at the most, and where none could go, a task.

The scenarios of reminders and bots are played whole in ``test_crash.py``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.crash.rig.databases import Databases, Postgres, Sqlite
from tests.crash.rig.points import Point, points_of
from tests.crash.scenario import Scenario
from tests.crash.scenarios import bots, chases
from tests.crash.scenarios.sendings import ALL
from tests.crash.sweep import Sweeps

LAST = 12
"""Of a run's places: there the worker looks at Stripe and Kommo, sends, and keeps what became of it."""
SAMPLE = 1
SHARE = {"reminders of a debt": 0.62, "paid before its reminder": 0.5, "bot waits at a step": 0.6}
"""Where in a run its sample is taken: near what is sent."""
WAITING, OVERDUE = ("bots wait for the payment", 0.5), ("overdue, then paid", 0.45)
CHASES = {one.name: one for one in (*chases.ALL, *bots.ALL)}


@pytest.mark.parametrize("scenario", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("count", [SAMPLE, pytest.param(1000, marks=pytest.mark.full)], ids=["sample", "all"])
async def test_a_death_sends_nothing_twice(tmp_path: Path, scenario: Scenario, count: int) -> None:
    def choose(points: list[Point]) -> Sequence[Point]:
        return points if count > len(points) else points[-LAST :: LAST // count][:count]

    told = await Sweeps(tmp_path, Sqlite, 1).sweep(scenario, points_of, choose)
    assert not told.problems, "\n".join(told.problems)


@pytest.mark.parametrize("name", SHARE)
async def test_a_death_reminds_nobody_twice_and_loses_no_bot(tmp_path: Path, name: str) -> None:
    told = await _sampled(tmp_path, Sqlite, name, SHARE[name])
    assert not told, "\n".join(told)


async def test_a_death_while_bots_wait_for_the_payment_moves_each_once(tmp_path: Path) -> None:
    told = await _sampled(tmp_path, Sqlite, *WAITING)
    assert not told, "\n".join(told)


@pytest.mark.postgres
async def test_a_death_while_it_is_overdue_asks_each_person_once(tmp_path: Path, postgres_url: str) -> None:
    told = await _sampled(tmp_path, lambda folder: Postgres(postgres_url, f"overdue_{folder.name}"), *OVERDUE)
    assert not told, "\n".join(told)


async def _sampled(folder: Path, databases: Callable[[Path], Databases], name: str, share: float) -> list[str]:
    def choose(points: list[Point]) -> Sequence[Point]:
        return [points[int(len(points) * share)]]

    return (await Sweeps(folder, databases, 1).sweep(CHASES[name], points_of, choose)).problems
