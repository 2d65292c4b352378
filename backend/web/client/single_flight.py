"""One call to Stripe for many callers: all get its answer, or learn that it takes long."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request

PATIENCE_SECONDS = 8.0
"""A payer looks at an empty tab meanwhile. Stripe's own client waits three times fifteen seconds."""

Answer = TypeVar("Answer")


class TakesLong(Exception):
    """The answer is not there yet. The call continues, and the next caller gets its result."""


class Openings:
    """Calls in progress in this process. Across processes the database's compare-and-set prevents doubles."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Any]] = {}

    async def share(
        self, key: str, begin: Callable[[], Coroutine[Any, Any, Answer]], patience: float = PATIENCE_SECONDS
    ) -> Answer:
        """Return the result of ``begin()``, or of the call in progress under ``key``.

        Raises ``TakesLong`` after ``patience`` seconds. The call is never cancelled: between Stripe's answer and our
        row nobody can say what was created.
        """
        asking: asyncio.Task[Answer] | None = self._under_way.get(key)
        if asking is None:
            asking = asyncio.create_task(begin())
            self._under_way[key] = asking
            asking.add_done_callback(lambda _: self._under_way.pop(key, None))
        done, _ = await asyncio.wait([asking], timeout=patience)
        if not done:
            raise TakesLong
        return asking.result()


def openings(request: Request) -> Openings:
    """Return the process's calls in progress."""
    state = request.app.state
    if not hasattr(state, "openings"):
        state.openings = Openings()
    shared: Openings = state.openings
    return shared
