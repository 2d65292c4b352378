"""A shop for every test of the links."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.payments.shop import Shop, open_shop


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Shop]:
    async with open_shop(f"sqlite+aiosqlite:///{tmp_path}/shop.db") as shop:
        yield shop
