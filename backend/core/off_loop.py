"""Run long computations outside the event loop, so that the server answers requests meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
MANY = 1000
"""The number of a deal's parts above which a thread computes: more take some tens of milliseconds."""


async def computed(size: int, compute: Callable[[], T]) -> T:
    """Return the result of ``compute``; a thread runs it if ``size`` is above ``MANY``."""
    return await asyncio.to_thread(compute) if size > MANY else compute()
