"""Numbers and uuids of one world, the same for the same seed."""

import random
from itertools import count
from uuid import UUID

_FIRST = {
    "account": 31_000_001,
    "user": 9_000_001,
    "pipeline": 7_100_001,
    "status": 58_000_001,
    "field": 1_200_001,
    "option": 2_300_001,
    "lead": 12_400_001,
    "contact": 23_500_001,
    "company": 24_600_001,
    "note": 310_700_001,
    "task": 4_800_001,
    "tag": 150_001,
    "element": 560_001,
    "webhook": 6_900_001,
    "bot": 70_001,
    "salesbot": 71_001,
    "talk": 40_501,
    "continue": 810_001,
    "group": 88_010_000_000_001,
}


class Ids:
    """Kommo's ids are numbers, never given twice in one world, whatever account asks."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  (repeatable on purpose; nothing here guards anything)
        self._counters = {kind: count(first) for kind, first in _FIRST.items()}

    def next(self, kind: str) -> int:
        return next(self._counters[kind])

    def uuid(self) -> str:
        return str(UUID(bytes=self._random.randbytes(16), version=4))

    def text(self, characters: int) -> str:
        """Hex digits, as Kommo's secrets, codes and refresh tokens look."""
        return self._random.randbytes((characters + 1) // 2).hex()[:characters]
