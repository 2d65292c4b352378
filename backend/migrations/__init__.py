"""Bring a database up to date, from empty or from any earlier version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from backend.db import Database

LOCK = 0x6B6F6D6D6F  # any number, the same for all our processes


async def upgrade(database: Database) -> None:
    """Run what is missing. Safe with several processes at once: one runs, the others wait and find nothing to do."""
    async with database.engine.connect() as connection:
        connection = await connection.execution_options(may_write=True)
        async with connection.begin():  # ours, around all of it: else Alembic makes one for each step on SQLite
            if not database.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            await connection.run_sync(_upgrade)


async def is_current(database: Database) -> bool:
    """Whether nothing is missing."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_is_current)


def _is_current(connection: Connection) -> bool:
    head = ScriptDirectory.from_config(alembic_config(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")
