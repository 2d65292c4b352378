"""A running product for each test, on both databases where the database matters."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.product import Product, running


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    """On SQLite, connected and set up."""
    async with running(f"sqlite+aiosqlite:///{tmp_path}/product.db") as running_product:
        yield running_product
