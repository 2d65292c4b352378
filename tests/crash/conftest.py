"""Where the sweeps run: on SQLite and on PostgreSQL, in one slot daily and in several in the full run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.rig.databases import Databases, Postgres, Sqlite
from tests.crash.sweep import Sweeps

SLOTS = 3
"""Most of a run is waiting: so many at a time keep one core busy."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def databases(request: pytest.FixtureRequest) -> Callable[[Path], Databases]:
    if request.param == "sqlite":
        return Sqlite
    url = request.getfixturevalue("postgres_url")
    return lambda folder: Postgres(url, folder.name)


@pytest.fixture
def sweeps(databases: Callable[[Path], Databases], tmp_path: Path) -> Sweeps:
    return Sweeps(tmp_path, databases, SLOTS)
