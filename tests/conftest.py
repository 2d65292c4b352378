"""What every test may ask for."""

import gc
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from tests.chromium import (
    browser,
    browser_context_args,
    browser_type,
    browser_type_launch_args,
    playwright,
    stop_chromium,
    stop_chromium_before,
)
from tests.lock_order import watched_lock_order
from tests.migrated_databases import copy_migrated, migrated_postgres
from tests.postgres import copied_database, empty_database, running_postgres
from tests.shared_statements import share_statements

HERE = Path(__file__).parent
LONGEST = (
    "story/test_switches.py",
    "accounts/test_outages.py",
    "deal_sync/merges/test_follow.py",
    "deal_sync/test_writing.py",
    "processes/test_takeover.py",
    "replicas/test_restarts.py",
    "security/test_under_siege.py",
    "cli/test_commands.py",
    "deal_sync/apply/test_readings.py",
    "ledger/test_life.py",
    "crash/test_sample.py",
    "processes/test_wakeups.py",
    "web/test_openapi.py",
    "web/edge/test_odd_values.py",
    "accounts/tokens/test_dead_refresher.py",
    "web/setup/test_rights_on_loan.py",
    "security/test_pages.py",
    "web/client/test_looks.py",
    "processes/test_hanging_kommo.py",
    "browser/test_looks.py",
    "cli/test_payments.py",
)
"""A file is one worker's work: those that take longest come first, so that none of them is waited for at the end."""

SEED = 52
"""Draws the samples of ``sampled_url``; chosen so that each file's tests of what is stored are among them."""

__all__ = ["browser", "browser_context_args", "browser_type", "browser_type_launch_args", "playwright"]


def pytest_sessionstart() -> None:
    share_statements()


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: no search for garbage need look at it."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the longest files first; the others stay in their order. What no sample holds takes the full run."""
    for item in items:
        is_sampled = "sampled_url" in getattr(item, "fixturenames", ()) and item.get_closest_marker("postgres")
        if is_sampled and crc32(f"{SEED} {item.nodeid}".encode()) % 3:
            item.add_marker(pytest.mark.full)
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(str(item.path.relative_to(HERE)), len(place)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    stop_chromium_before(item)


def pytest_sessionfinish() -> None:
    stop_chromium()


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
    yield from _copied(request, tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.full])])
def daily_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same on SQLite, and in the full run on PostgreSQL as well."""
    yield from _copied(request, tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def sampled_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same on SQLite, and a third of the tests on PostgreSQL as well, drawn by ``SEED``; in the full run all.

    For what the web decides, and a database only stores.
    """
    yield from _copied(request, tmp_path)


def _copied(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{folder}/x.db"
        copy_migrated(url)
        yield url
    else:
        template = request.getfixturevalue("_migrated_postgres")
        with copied_database(request.getfixturevalue("postgres_url"), template) as url:
            yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/x.db"
    else:
        with empty_database(request.getfixturevalue("postgres_url")) as url:
            yield url
