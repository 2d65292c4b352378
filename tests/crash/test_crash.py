"""The product is killed with SIGKILL before and after every request that it sends and every commit, and started again:
no event is lost, nothing is written twice, nothing moves back, and every amount is Stripe's to the cent.

``CRASH_POINTS`` in the environment: only so many of each scenario, evenly.
"""

import os

import pytest

from tests.crash.rig.points import points_of
from tests.crash.scenario import Scenario
from tests.crash.scenarios import ALL
from tests.crash.sweep import Sweeps, spread


def _named(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.full
@pytest.mark.parametrize("scenario", ALL, ids=_named)
async def test_killed_anywhere_it_keeps_every_promise(scenario: Scenario, sweeps: Sweeps) -> None:
    most = int(os.environ.get("CRASH_POINTS") or 0)
    swept = await sweeps.sweep(scenario, points_of, lambda known: spread(known, most) if most else known)
    print(f"\n{scenario.name}: {swept.known} kill points, {swept.laid} played, {swept.missed} of them not met again")
    assert not swept.problems, "\n".join(swept.problems)
