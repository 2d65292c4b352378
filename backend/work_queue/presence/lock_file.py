"""Presence on SQLite: a locked file next to the database, which the kernel unlocks when the process ends.

Process ids would not do: containers that share a volume have ids of their own, and ids are reused.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TRIES = 5


class LockFile:
    """The locked file of this process.

    ``lock`` is 0 if the database is not a file, its folder is not writable, or our file was deleted: a file that others
    cannot see locked counts as dead, although this process lives.
    """

    def __init__(self, database: Path | None = None, number: int = 0, file: int = -1) -> None:
        self._database, self._number, self._file = database, number, file

    @property
    def lock(self) -> int:
        """The number of the lock that others can see, or 0."""
        seen = self._database is not None and _is_at(_path(self._database, self._number), self._file)
        return self._number if seen else 0

    async def dead(self, locks: Collection[int]) -> set[int]:
        """Those of ``locks`` whose file is unlocked or gone."""
        database = self._database
        return {lock for lock in locks if _is_free(_path(database, lock))} if database else set()


@contextmanager
def beside(database: str | None, number: int) -> Iterator[LockFile]:
    """Hold a lock file next to the database until the block ends; without one if it cannot be created."""
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
    """The open, locked file of this process, or None. Deletes the files of dead processes first.

    A process that starts at the same moment may delete our file before it is locked; then it is created again.
    """
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
    """True if the open ``file`` is the one that others find at ``path``."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except OSError:
        return False


def _is_free(path: Path) -> bool:
    """True if the file is unlocked or gone: it was unlocked when it was deleted. False if we may not open it."""
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
