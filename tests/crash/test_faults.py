"""Every request once with everything that can go wrong on its way: the same promises, without anybody dying."""

from pathlib import Path

import pytest

from tests.crash.rig.databases import Sqlite
from tests.crash.rig.faults import faults_of
from tests.crash.scenario import Scenario
from tests.crash.scenarios import TWELVE
from tests.crash.sweep import Sweeps


@pytest.mark.full
@pytest.mark.parametrize("scenario", TWELVE, ids=lambda scenario: scenario.name)
async def test_whatever_goes_wrong_on_the_way_every_promise_holds(scenario: Scenario, tmp_path: Path) -> None:
    swept = await Sweeps(tmp_path, Sqlite, 3).sweep(scenario, faults_of, list)
    print(f"\n{scenario.name}: {swept.known} faults, {swept.missed} of them not met")
    assert not swept.problems, "\n".join(swept.problems)
