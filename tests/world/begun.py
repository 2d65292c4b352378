"""A world in which the product has just been set up for the first account, as a copy of one that was kept."""

import atexit
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, inspect, make_url, select, text
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel, col

from backend.core.clock import Clock
from backend.storage.models import Account
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.stripe import StripeWorld
from tests.world.addresses import Addresses
from tests.world.world import World

KEPT_SECONDS = 300.0
"""A test may rely on it that the product was set up a moment ago; no timer of the worker is due within this time."""


_TABLES = SQLModel.metadata.sorted_tables
_COUNT_ON = text(
    "SELECT setval(counter, :last) FROM pg_get_serial_sequence(:table, :column) AS counter WHERE counter IS NOT NULL"
)


@dataclass(frozen=True)
class Begun:
    """``clock`` is the clock of ``kommo`` and ``stripe``; ``file`` is the product's database."""

    kommo: KommoWorld
    stripe: StripeWorld
    file: Path
    clock: MovableClock
    at: float

    def fits(self, clock: Clock) -> bool:
        return 0.0 <= clock() - self.at <= KEPT_SECONDS

    def again(self, clock: Clock, database: URL) -> tuple[KommoWorld, StripeWorld]:
        """The two worlds by another clock, and the product's rows in its new database."""
        if database.get_backend_name() == "sqlite":
            shutil.copyfile(self.file, str(database.database))
        else:
            _copy_rows(self.file, database)
        return deepcopy((self.kommo, self.stripe), {id(self.clock): clock})


async def begun_at(
    addresses: Addresses, more: object, opened: Callable[[str, Clock], AbstractAsyncContextManager[World]]
) -> Begun:
    """What is kept with these addresses for these settings, set up anew where that was too long ago.

    ``opened`` opens a connected world on a new database.
    """
    kept: Begun | None = addresses.kept.get(more)
    if kept is None or not kept.fits(time.time):
        clock, file = MovableClock(), _new_file()
        async with opened(f"sqlite+aiosqlite:///{file}.made", clock) as world:
            at = clock()
        with closing(sqlite3.connect(f"{file}.made")) as made, closing(sqlite3.connect(file)) as copy:
            made.backup(copy)
        kept = addresses.kept[more] = Begun(world.kommo, world.stripe, file, clock, at)
    return kept


def is_new(database: URL) -> bool:
    """Whether it can take the rows of a copy: nothing was written yet but, on PostgreSQL, the tables."""
    if database.get_backend_name() == "sqlite":
        return not Path(str(database.database)).exists()
    with _connected(database) as connection:
        has_tables = inspect(connection).has_table("account")
        return has_tables and not connection.execute(select(col(Account.id))).first()


def _copy_rows(file: Path, database: URL) -> None:
    with _connected(make_url(f"sqlite:///{file}")) as made, _connected(database) as copy:
        found = {table: [dict(row) for row in made.execute(table.select()).mappings()] for table in _TABLES}
        filled = {table: rows for table, rows in found.items() if rows}
        copy.execute(text(f"TRUNCATE {', '.join(table.name for table in filled)} CASCADE"))
        for table, rows in filled.items():
            copy.execute(table.insert(), rows)
            if (counted := table.autoincrement_column) is not None:
                values = {"table": table.name, "column": counted.name, "last": max(row[counted.name] for row in rows)}
                copy.execute(_COUNT_ON, values)
        copy.commit()


@contextmanager
def _connected(database: URL) -> Iterator[Connection]:
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _new_file() -> Path:
    return Path(tempfile.mkdtemp(dir=_folder()), "begun.db")


@cache
def _folder() -> Path:
    """Removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="begun-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
