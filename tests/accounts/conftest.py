"""A running product for each test, on SQLite; tests of what only a database decides ask for both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.clock import MovableClock
from tests.world import World, open_world


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/product.db"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(sqlite_url: str, clock: MovableClock) -> AsyncIterator[World]:
    """Connected and set up."""
    async with open_world(sqlite_url, clock=clock) as one:
        yield one


@pytest.fixture
async def unconnected(sqlite_url: str, clock: MovableClock) -> AsyncIterator[World]:
    """Served, and nobody has installed it."""
    async with open_world(sqlite_url, clock=clock, connected=False) as one:
        yield one
