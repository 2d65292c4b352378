"""Presence on SQLite: a locked file beside the database. The kernel takes the lock back with the process.

Not the process's number: containers that share a volume have numbers of their own, and numbers are used again.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TRIES = 5


class LockFile:
    """``lock`` is 0 where the database is no file, its folder takes none of ours, or somebody cleared ours away: what
    the others can't see locked is dead to them, however alive we are."""

    def __init__(self, database: Path | None = None, number: int = 0, file: int = -1) -> None:
        self._database, self._number, self._file = database, number, file

    @property
    def lock(self) -> int:
        seen = self._database is not None and _is_at(_path(self._database, self._number), self._file)
        return self._number if seen else 0

    async def dead(self, locks: Collection[int]) -> set[int]:
        database = self._database
        return {lock for lock in locks if _is_free(_path(database, lock))} if database else set()


@contextmanager
def beside(database: str | None, number: int) -> Iterator[LockFile]:
    path = Path(database).absolute() if database and database != ":memory:" else None
    file = _locked(path, number) if path else None
    if path is None or file is None:
        yield LockFile()
        return
    try:
        yield LockFile(path, number, file)
    finally:
        _path(path, number).unlink(missing_ok=True)
        os.close(file)


def _path(database: Path, lock: int) -> Path:
    return database.with_name(f"{database.name}-worker-{lock:08x}")


def _locked(database: Path, lock: int) -> int | None:
    """Files of the dead are cleared away first: whoever died can't do it. Ours may be taken for one of them by somebody
    who starts at the same moment, as long as it is not locked: then once more."""
    for left in database.parent.glob(f"{database.name}-worker-*"):
        if _is_free(left):
            left.unlink(missing_ok=True)
    path = _path(database, lock)
    for _ in range(TRIES):
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, file):
                return file
        os.close(file)
    return None


def _is_at(path: Path, file: int) -> bool:
    """Whether ``file``, which is open, is the one that others find there."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except OSError:
        return False


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
