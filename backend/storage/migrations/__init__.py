"""Brings a database up to date, from empty or from any earlier version."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.core.progress import Progress, unseen
from backend.storage.db import Database

if TYPE_CHECKING:  # importing Alembic takes a tenth of a second, and most starts find nothing to do
    from alembic.config import Config

FOLDER = Path(__file__).parent
LOCK = 0x6B6F6D6D6F  # any number, the same for all our processes


class DatabaseUnusable(Exception):
    """The database cannot be opened or is of a later version; the message tells the operator what to do."""


async def upgrade(database: Database, progress: Progress = unseen) -> int:
    """Run the missing migrations, all or none, and return their number. Raises ``DatabaseUnusable``.

    Safe with several processes at once: one runs, the others wait and find nothing to do. ``progress``: called after
    each migration with (applied, missing).
    """
    async with _opened(database) as connection:
        connection = await connection.execution_options(may_write=True)
        async with connection.begin():  # one transaction for all: else Alembic opens one per step on SQLite
            if not database.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            return await connection.run_sync(_upgrade, progress)


async def is_current(database: Database) -> bool:
    """True if no migration is missing. Raises ``DatabaseUnusable``."""
    async with _opened(database) as connection:
        return await connection.run_sync(_is_current)


@asynccontextmanager
async def _opened(database: Database) -> AsyncIterator[AsyncConnection]:
    try:
        connection = await database.engine.connect()
    except (DBAPIError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise DatabaseUnusable(f"The database can't be opened: {reason}. Look at DATABASE_URL.") from error
    try:
        yield connection
    finally:
        await connection.close()


def _is_current(connection: Connection) -> bool:
    return _version(connection) == versions()[-1]


@cache
def versions() -> Sequence[str]:
    """The numbers of all steps, in their order: each step's file begins with its own."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def _version(connection: Connection) -> str | None:
    """The database's version, or None for an empty database. Raises ``DatabaseUnusable`` for an unknown version."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and version not in versions():
        raise DatabaseUnusable(
            f"The database is of a later version of this program ({version}). Start that version again, or put back a "
            "copy of the database from before it."
        )
    return version


def alembic_config(connection: Connection) -> "Config":
    """Alembic's configuration for migrations on this connection, inside its transaction."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, progress: Progress) -> int:
    current = _version(connection)
    missing = len([version for version in versions() if version > (current or "")])
    if not missing:
        return 0
    from alembic import command

    config, applied = alembic_config(connection), 0

    def step(**_told: object) -> None:
        nonlocal applied
        applied += 1
        progress(applied, missing)

    config.attributes["step"] = step
    command.upgrade(config, "head")
    return missing
