"""Databases that are up to date already: migrated once for all tests of a worker, and copied for each."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import make_url

from backend.storage.db import Database
from backend.storage.migrations import upgrade
from tests.postgres import empty_database


@contextmanager
def migrated_postgres(server_url: str) -> Iterator[str]:
    """The name of a template."""
    with empty_database(server_url) as url:
        _migrate(url)
        yield str(make_url(url).database)


def copy_migrated(sqlite_url: str) -> None:
    """The file of this URL is there and up to date; one that is there already stays as it is."""
    path = Path(str(make_url(sqlite_url).database))
    if not path.exists():
        shutil.copyfile(_migrated_file(), path)


@cache
def _migrated_file() -> Path:
    """Made once a process, which removes it at its end."""
    folder = Path(tempfile.mkdtemp(prefix="migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite+aiosqlite:///{folder}/x.db")
    return folder / "x.db"


def _migrate(url: str) -> None:
    """In a thread of its own: a fixture may be asked for where a loop runs already."""

    async def run() -> None:
        database = Database(url)
        await upgrade(database)
        await database.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
