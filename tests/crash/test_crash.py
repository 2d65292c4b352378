"""The product is killed with SIGKILL before and after every request that it sends and every commit, and started again:
no event is lost, nothing is written twice, nothing moves back, and every amount is Stripe's to the cent."""

import pytest

from tests.crash.points import points_of
from tests.crash.scenario import Scenario
from tests.crash.scenarios import ALL
from tests.crash.sweep import Ground


def _named(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.full
@pytest.mark.parametrize("scenario", ALL, ids=_named)
async def test_killed_anywhere_it_keeps_every_promise(scenario: Scenario, ground: Ground) -> None:
    swept = await ground.sweep(scenario, points_of, list)
    print(f"\n{scenario.name}: {swept.known} kill points, {swept.missed} of them not met again")
    assert not swept.problems, "\n".join(swept.problems)
