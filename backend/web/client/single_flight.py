"""Many ask Stripe the same at once: one of them does, and all get that answer, or hear that it takes long."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request

PATIENCE_SECONDS = 8.0
"""A client looks at an empty tab meanwhile. Stripe's own client waits three times fifteen."""

Answer = TypeVar("Answer")


class TakesLong(Exception):
    """No answer yet. The asking goes on, and whoever asks next gets what comes of it."""


class Openings:
    """For one process; across processes the database's compare-and-set does the same for what is made."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Any]] = {}

    async def share(
        self, key: str, begin: Callable[[], Coroutine[Any, Any, Answer]], patience: float = PATIENCE_SECONDS
    ) -> Answer:
        """What ``begin`` brings, or what the one under way by this key does. Raises ``TakesLong``.

        Nothing is cut short: between Stripe's answer and our row nobody can say what was made.
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
    """The process's own."""
    state = request.app.state
    if not hasattr(state, "openings"):
        state.openings = Openings()
    shared: Openings = state.openings
    return shared
