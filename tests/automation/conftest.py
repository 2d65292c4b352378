"""The product's parts at one moment, without a web, a worker or the worlds."""

from collections.abc import AsyncIterator

import pytest

from backend.core.config import Settings
from backend.resources import Resources, open_resources
from sandbox.clock import MovableClock

NOW = 1_800_000_000.0


@pytest.fixture
async def resources(database_url: str) -> AsyncIterator[Resources]:
    settings = Settings(
        _env_file=None, public_url="http://127.0.0.1:1", database_url=database_url,
        secret_keys="a sealing key of the tests", admin_token="admin-token-of-the-tests",
    )  # fmt: skip
    async with open_resources(settings, MovableClock(lambda: NOW)) as opened:
        yield opened
