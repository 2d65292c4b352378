"""How many deals go into one call: fewer for an account that gets no good answer, until it does again."""

from collections import Counter

READ = 250
"""Deals in one read: Kommo's largest page."""
WRITE = 50
"""Deals in one write: Kommo's advice, though it takes 250."""
GOOD = 5
"""Calls in a row that were answered before more is tried at once."""


class Sizes:
    """Of one kind of call, for each account. After a 504 Kommo wants fewer at once (docs/facts/kommo-api.md 6)."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sizes: dict[int, int] = {}
        self._good: Counter[int] = Counter()

    def of(self, account_id: int) -> int:
        return self._sizes.get(account_id, self._most)

    def shrink(self, account_id: int, count: int) -> None:
        """So many got no answer in time, or a fault of Kommo's own. A lone one says nothing; of several under way at
        once, the first."""
        self._good[account_id] = 0
        if count > 1:
            self._sizes[account_id] = min(self.of(account_id), count // 2)

    def grow(self, account_id: int) -> None:
        self._good[account_id] += 1
        if self._good[account_id] >= GOOD:
            self._good[account_id] = 0
            self._sizes[account_id] = min(self._most, 2 * self.of(account_id))
