"""How often one user of the deal card calls: what is too much is refused before the database is asked, and slowly.

Refusals that cost as much as answers would let one user with many connections take the database from all others.
"""

import asyncio
from hashlib import sha256

from backend.core.clock import Clock
from backend.core.errors import TooManyCalls
from backend.web.http.throttle import Buckets

MOST_TOKENS = 10_000
REFUSAL_SECONDS = 0.25
"""Who calls again as soon as a call is refused is slowed down by this."""
User = tuple[int, int]


class UserCalls:
    """Buckets by (account, user). A token that was proven once names its user before it is proven again."""

    def __init__(self, clock: Clock) -> None:
        self._buckets = Buckets(clock)
        self._users: dict[bytes, User] = {}

    async def count_known(self, token: str) -> bool:
        """Whether the call was counted, which needs a token that was seen before. Raises ``TooManyCalls``."""
        user = self._users.get(_digest(token))
        if user is not None:
            await self._take(user)
        return user is not None

    async def count_new(self, token: str, user: User) -> None:
        """Counts a call whose token was just proven. Raises ``TooManyCalls``."""
        if len(self._users) >= MOST_TOKENS:
            del self._users[next(iter(self._users))]
        self._users[_digest(token)] = user
        await self._take(user)

    async def _take(self, user: User) -> None:
        if not self._buckets.take(user):
            await asyncio.sleep(REFUSAL_SECONDS)
            raise TooManyCalls("You call faster than a person can. Try again in a moment.")


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
