"""One set of worlds and one web for all these tests; each test has workers of its own, gone when it ends."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.postgres import empty_database
from tests.processes.workers import Workers, open_workers


@pytest.fixture(scope="package", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('database')}/x.db"
    else:
        with empty_database(request.getfixturevalue("postgres_url")) as url:
            yield url


@pytest.fixture(scope="package")
async def shared_workers(
    shared_url: str, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Workers]:
    """Nothing is left to settle when an answer got lost: what a fresh owner doubts, it looks up at once."""
    async with open_workers(shared_url, tmp_path_factory.mktemp("workers"), settle_seconds=0) as opened:
        yield opened


@pytest.fixture
async def workers(shared_workers: Workers) -> AsyncIterator[Workers]:
    yield shared_workers
    shared_workers.kill_all()
