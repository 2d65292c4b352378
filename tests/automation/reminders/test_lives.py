"""Random lives of debts: in whichever order things happen, nobody is reminded of what is paid, nor in a burst."""

from random import Random

import pytest

from tests.automation.reminders.conftest import Merchant
from tests.automation.reminders.lives import Life

pytestmark = pytest.mark.anyio
ZONES = (
    "America/New_York", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Jakarta",
    "Africa/Casablanca",
)  # fmt: skip


async def _live(merchant: Merchant, seed: int, days: int, zone: str) -> None:
    life = Life(merchant, Random(seed), zone)
    await life.begin()
    await life.live(days)
    await life.end()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_short_life(merchant: Merchant, seed: int) -> None:
    await _live(merchant, seed, 8, ZONES[seed])


@pytest.mark.full
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("seed", range(5))
async def test_sixty_days(merchant: Merchant, seed: int, zone: str) -> None:
    await _live(merchant, 100 + seed, 60, zone)
