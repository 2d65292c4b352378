"""Long computations beside the event loop, so that the door answers meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
MANY = 1000
"""Parts of a deal of which the computation is handed to a thread: some tens of milliseconds."""


async def computed(size: int, compute: Callable[[], T]) -> T:
    """What ``compute`` returns; it runs in a thread where it has more than ``MANY`` parts to go through."""
    return await asyncio.to_thread(compute) if size > MANY else compute()
