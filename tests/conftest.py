"""What every test may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import browser, browser_context_args, browser_type, browser_type_launch_args, playwright
from tests.lock_order import watched_lock_order
from tests.migrated_databases import copied_postgres, copy_migrated, migrated_postgres
from tests.postgres import empty_database, running_postgres

__all__ = ["browser", "browser_context_args", "browser_type", "browser_type_launch_args", "playwright"]


@pytest.fixture(autouse=True)
def _locks_in_order() -> Iterator[None]:
    """No unit of work of any test locks rows in an order in which two units could wait for each other."""
    with watched_lock_order() as offences:
        yield
    assert offences == []


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a fresh PostgreSQL, one for each worker; for a database of one's own see ``empty_database``."""
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_url: str) -> Iterator[str]:
    with migrated_postgres(postgres_url) as template:
        yield template


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that is up to date and empty, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
        copy_migrated(url)
        yield url
    else:
        template = request.getfixturevalue("_migrated_postgres")
        with copied_postgres(request.getfixturevalue("postgres_url"), template) as url:
            yield url


@pytest.fixture
def migrated_url(database_url: str) -> str:
    """The same, by the name that says what of it is needed."""
    return database_url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/x.db"
    else:
        with empty_database(request.getfixturevalue("postgres_url")) as url:
            yield url
