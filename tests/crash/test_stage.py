"""A deal that enters a stage is asked for its payment once, wherever the product is killed."""

from pathlib import Path

import pytest

from tests.crash.rig.databases import Sqlite
from tests.crash.rig.points import points_of
from tests.crash.scenarios import stages
from tests.crash.sweep import Sweeps, spread


@pytest.mark.parametrize("most", [1, pytest.param(0, marks=pytest.mark.full)], ids=["one", "all"])
async def test_killed_anywhere_an_entry_asks_once_and_sends_once(tmp_path: Path, most: int) -> None:
    (scenario,) = stages.ALL
    swept = await Sweeps(tmp_path, Sqlite, 1).sweep(
        scenario, points_of, lambda known: spread(known, most) if most else known
    )
    assert not swept.problems, "\n".join(swept.problems)
