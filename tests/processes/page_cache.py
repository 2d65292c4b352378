"""Whether what was written to a file is still only in memory: Linux tells since 6.5, without any privilege."""

import ctypes
import os
import sys
from pathlib import Path

_CACHESTAT = 451
"""The number of the call on every architecture that Linux numbers in common; x86-64 and arm64 among them."""


class CannotTell(OSError):
    """Not Linux, an older one, or a file system without a page cache."""


def unsynced_pages(path: Path) -> int:
    """How many pages of the file no fsync has brought to the disk. Raises ``CannotTell``."""
    if not sys.platform.startswith("linux"):
        raise CannotTell("only Linux tells")
    whole = (ctypes.c_uint64 * 2)(0, 0)
    counts = (ctypes.c_uint64 * 5)()  # in the cache, dirty, being written, evicted, evicted lately
    file = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syscall(_CACHESTAT, file, whole, counts, 0):
            raise CannotTell(os.strerror(ctypes.get_errno()))
    finally:
        os.close(file)
    return int(counts[1] + counts[2])


def can_tell(folder: Path) -> bool:
    """Tried on a file that was written and not synced: a file system in memory would always say *all is synced*."""
    probe = folder / "probe"
    probe.write_bytes(bytes(10_000))
    try:
        return unsynced_pages(probe) > 0
    except CannotTell:
        return False
