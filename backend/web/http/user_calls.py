"""How often one user of the deal card calls, and how many of the user's calls are in work at once.

What is too much is refused before the database or Kommo is asked, and slowly: refusals that cost as much as answers
would let one user with many connections take both from all others.
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
"""Calls of one user in work; a card makes one or two."""
PATIENCE_SECONDS = 10.0
"""How long a call waits for the user's earlier ones."""
REFUSAL_SECONDS = 0.25
"""Who calls again as soon as a call is refused is slowed down by this."""
User = tuple[int, int]


class UserCalls:
    """Buckets and places by (account, user). A token that was proven once names its user before it is proven again."""

    def __init__(self, clock: Clock) -> None:
        self._buckets = Buckets(clock)
        self._users: dict[bytes, User] = {}
        self._places: WeakValueDictionary[User, asyncio.Semaphore] = WeakValueDictionary()

    def named_by(self, token: str) -> User | None:
        """The user of a token that was proven before; None for any other."""
        return self._users.get(_digest(token))

    def remember(self, token: str, user: User) -> None:
        """Keeps whose the token is, which was just proven."""
        if len(self._users) >= MOST_TOKENS:
            del self._users[next(iter(self._users))]
        self._users[_digest(token)] = user

    @asynccontextmanager
    async def turn(self, user: User) -> AsyncIterator[None]:
        """Entered when fewer than ``AT_ONCE`` calls of the user are in work. Raises ``TooManyCalls``."""
        if not self._buckets.take(user):
            await asyncio.sleep(REFUSAL_SECONDS)
            raise TooManyCalls("You call faster than a person can. Try again in a moment.")
        places = self._places.setdefault(user, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await places.acquire()
        except TimeoutError:
            raise TooManyCalls("Your earlier calls are still in work. Try again in a moment.") from None
        try:
            yield
        finally:
            places.release()


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
