"""The migrations make exactly the tables that the models describe, from empty, once."""

import os
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import SQLModel

import backend.models  # noqa: F401  (fills SQLModel.metadata)
from backend.db import Database
from backend.migrations import upgrade


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_migrations_and_models_agree(database_url: str) -> None:
    database = Database(database_url)
    await upgrade(database)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await database.close()


def test_several_processes_may_start_at_once(database_url: str, tmp_path: Path) -> None:
    settings = {
        "PUBLIC_URL": "http://127.0.0.1:1",
        "SECRET_KEYS": "a sealing key of the tests",
        "ADMIN_TOKEN": "made-up-token",
        "DATABASE_URL": database_url,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", "backend", "migrate"]
    processes = [subprocess.Popen(command, cwd=tmp_path, env=os.environ | settings) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
