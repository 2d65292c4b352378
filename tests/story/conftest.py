"""A running product for each test, on both databases where the database matters."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, open_world


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite, connected and set up."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as running_product:
        yield running_product
