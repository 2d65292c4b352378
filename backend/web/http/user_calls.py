"""Limits of one user of the deal card: calls per second, and calls in progress at once.

A call beyond them is refused before the database or Kommo is asked, and slowly: if refusals cost as much as answers,
one user with many connections could slow down all others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from weakref import WeakValueDictionary

from backend.core.clock import Clock
from backend.core.errors import TooManyCalls
from backend.web.http.throttle import Buckets

MOST_TOKENS = 10_000
AT_ONCE = 2
"""Calls of one user in progress; a card makes one or two."""
PATIENCE_SECONDS = 10.0
"""How long a call waits for the user's earlier ones."""
REFUSAL_SECONDS = 0.25
"""Delay of a refusal, which slows a caller that retries at once."""
User = tuple[int, int]


class UserCalls:
    """Rate limits and concurrency limits by (account id, user id).

    A token that was verified once identifies its user before it is verified again.
    """

    def __init__(self, clock: Clock) -> None:
        self._buckets = Buckets(clock)
        self._users: dict[bytes, User] = {}
        self._places: WeakValueDictionary[User, asyncio.Semaphore] = WeakValueDictionary()

    def named_by(self, token: str) -> User | None:
        """Return the user of a token that was verified before; None for any other."""
        return self._users.get(_digest(token))

    def remember(self, token: str, user: User) -> None:
        """Store the user of a token that was just verified. The oldest is dropped at ``MOST_TOKENS``."""
        if len(self._users) >= MOST_TOKENS:
            del self._users[next(iter(self._users))]
        self._users[_digest(token)] = user

    @asynccontextmanager
    async def turn(self, user: User) -> AsyncIterator[None]:
        """Enter once fewer than ``AT_ONCE`` calls of the user are in progress.

        Raises ``TooManyCalls`` after ``REFUSAL_SECONDS`` if the user calls too often, or if the earlier calls are still
        in progress after ``PATIENCE_SECONDS``.
        """
        if not self._buckets.take(user):
            await asyncio.sleep(REFUSAL_SECONDS)
            raise TooManyCalls("Too many calls in a short time. Try again in a moment.")
        places = self._places.setdefault(user, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await places.acquire()
        except TimeoutError:
            raise TooManyCalls("Your earlier calls are still being answered. Try again in a moment.") from None
        try:
            yield
        finally:
            places.release()


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
