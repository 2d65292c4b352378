"""How many deals one call carries: fewer for an account whose calls fail, until they succeed again."""

from collections import Counter

READ = 250
"""Deals in one read: Kommo's largest page (docs/facts/kommo-api.md 5)."""
WRITE = 50
"""Deals in one write: Kommo's recommendation, although it accepts 250 (docs/facts/kommo-api.md 5)."""
GOOD = 5
"""Successful calls in a row before the batch grows."""


class Sizes:
    """Batch sizes of one kind of call, by account. After a 504 Kommo wants fewer items (docs/facts/kommo-api.md 5)."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sizes: dict[int, int] = {}
        self._good: Counter[int] = Counter()

    def of(self, account_id: int) -> int:
        """The current batch size of the account."""
        return self._sizes.get(account_id, self._most)

    def shrink(self, account_id: int, count: int) -> None:
        """Halve the batch size after a call with ``count`` deals timed out or failed at Kommo.

        A call with one deal proves nothing about the size. Of several failing calls under way the first one decides.
        """
        self._good[account_id] = 0
        if count > 1:
            self._sizes[account_id] = min(self.of(account_id), count // 2)

    def grow(self, account_id: int) -> None:
        """Count a successful call; after five in a row double the batch size, up to the maximum."""
        self._good[account_id] += 1
        if self._good[account_id] >= GOOD:
            self._good[account_id] = 0
            self._sizes[account_id] = min(self._most, 2 * self.of(account_id))
