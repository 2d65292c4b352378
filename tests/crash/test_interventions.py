"""People act on the deal at every moment at which the product waits for Kommo: every promise holds, and so does what
the person chose."""

from pathlib import Path

import pytest

from tests.crash.interventions import interventions_of
from tests.crash.rig.databases import Sqlite
from tests.crash.scenario import Scenario
from tests.crash.scenarios import ALL, MEDDLED
from tests.crash.sweep import Sweeps


@pytest.mark.full
@pytest.mark.parametrize("scenario", [one for one in ALL if one.name in MEDDLED], ids=lambda scenario: scenario.name)
async def test_whatever_people_do_meanwhile_every_promise_holds(scenario: Scenario, tmp_path: Path) -> None:
    swept = await Sweeps(tmp_path, Sqlite, 3).sweep(scenario, interventions_of, list)
    print(f"\n{scenario.name}: {swept.known} moments, {swept.missed} of them not met")
    assert not swept.problems, "\n".join(swept.problems)
