"""Presence on SQLite: a locked file beside the database. The kernel takes the lock back with the process.

Not the process's number: containers that share a volume have numbers of their own, and numbers are used again.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class LockFile:
    """``lock`` is 0 where the database is no file, or its folder takes none of ours."""

    def __init__(self, database: Path | None, lock: int) -> None:
        self._database, self.lock = database, lock

    async def dead(self, locks: Collection[int]) -> set[int]:
        database = self._database
        return {lock for lock in locks if _is_free(_path(database, lock))} if database else set()


@contextmanager
def beside(database: str | None, number: int) -> Iterator[LockFile]:
    path = Path(database).absolute() if database and database != ":memory:" else None
    file = _locked(path, number) if path else None
    if path is None or file is None:
        yield LockFile(None, 0)
        return
    try:
        yield LockFile(path, number)
    finally:
        _path(path, number).unlink(missing_ok=True)
        os.close(file)


def _path(database: Path, lock: int) -> Path:
    return database.with_name(f"{database.name}-worker-{lock:08x}")


def _locked(database: Path, lock: int) -> int | None:
    """Files of the dead are cleared away first: whoever died can't do it."""
    for left in database.parent.glob(f"{database.name}-worker-*"):
        if _is_free(left):
            left.unlink(missing_ok=True)
    try:
        file = os.open(_path(database, lock), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None
    return file


def _is_free(path: Path) -> bool:
    """A file that is gone was free when somebody cleared it away. One that we may not open says nothing."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
    finally:
        os.close(file)
