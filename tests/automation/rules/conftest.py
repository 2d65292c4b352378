"""A shop in live mode whose administrator has an action in the second stage of the pipeline."""

from collections.abc import AsyncIterator

import pytest

from sandbox.clock import MovableClock
from tests.world import World, open_world


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(database_url: str, clock: MovableClock) -> AsyncIterator[World]:
    """On SQLite and on PostgreSQL."""
    async with open_world(database_url, clock=clock) as running:
        yield running
