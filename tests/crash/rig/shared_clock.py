"""What the test and the product's processes share: the time, and a count of commits. It outlives whoever is killed."""

import struct
import time
from mmap import mmap
from pathlib import Path
from typing import Self

_OFFSET, _COMMITS = "d", "q"
_SIZE = 16


class SharedClock:
    """A clock that both sides read and the test sets; it is the same object in every copy of a world."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._map = mmap(file.fileno(), _SIZE)

    def __call__(self) -> float:
        offset: float = struct.unpack_from(_OFFSET, self._map, 0)[0]
        return time.time() + offset

    def set(self, now: float) -> None:
        struct.pack_into(_OFFSET, self._map, 0, now - time.time())

    def advance(self, seconds: float) -> None:
        self.set(self() + seconds)

    @property
    def commits(self) -> int:
        found: int = struct.unpack_from(_COMMITS, self._map, 8)[0]
        return found

    @commits.setter
    def commits(self, count: int) -> None:
        struct.pack_into(_COMMITS, self._map, 8, count)

    def __deepcopy__(self, _memo: object) -> Self:
        return self
