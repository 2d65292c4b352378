"""A world in which the product has just been set up for the first account, as a copy of one that was kept."""

import atexit
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backend.core.clock import Clock
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.stripe import StripeWorld
from tests.world.addresses import Addresses
from tests.world.world import World

KEPT_SECONDS = 300.0
"""A test may rely on it that the product was set up a moment ago; no timer of the worker is due within this time."""


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

    def again(self, clock: Clock, database: Path) -> tuple[KommoWorld, StripeWorld]:
        """The two worlds by another clock, and the database put in its place."""
        shutil.copyfile(self.file, database)
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


def _new_file() -> Path:
    return Path(tempfile.mkdtemp(dir=_folder()), "begun.db")


@cache
def _folder() -> Path:
    """Removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="begun-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
