"""Databases that are up to date already: migrated once for all tests of a worker, and copied for each."""

import asyncio
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
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


@contextmanager
def copied_postgres(server_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    plain = server_url.replace("+psycopg", "", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def migrated_sqlite(folder: Path) -> Path:
    path = folder / "migrated.db"
    _migrate(f"sqlite+aiosqlite:///{path}")
    return path


def copied_sqlite(template: Path, folder: Path) -> str:
    path = shutil.copyfile(template, folder / "x.db")
    return f"sqlite+aiosqlite:///{path}"


def _migrate(url: str) -> None:
    """In a thread of its own: a fixture may be asked for where a loop runs already."""

    async def run() -> None:
        database = Database(url)
        await upgrade(database)
        await database.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
