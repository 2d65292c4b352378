"""Long deletions in portions, so that other writers get their turn between two of them."""

import asyncio
from collections.abc import Awaitable, Callable


async def in_portions(portion: Callable[[], Awaitable[int]], stopping: asyncio.Event, pause: float) -> int:
    """Call ``portion`` until it returns 0 or the process stops, and return the sum of what it returned.

    ``pause``: seconds between two portions.
    """
    count = 0
    while (done := await portion()) and not stopping.is_set():
        count += done
        await asyncio.sleep(pause)
    return count
