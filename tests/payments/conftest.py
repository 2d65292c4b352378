"""A shop for every test of the links."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.clock import MovableClock
from tests.world import World, open_world


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop
