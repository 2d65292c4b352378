"""Repeats units of work that the database ended to break a deadlock."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 3
PAUSE_SECONDS = 0.02
ENDED_BY_THE_DATABASE = frozenset(("40P01", "40001"))
"""PostgreSQL's deadlock_detected and serialization_failure: nothing of the unit was committed."""

log = structlog.get_logger()


def repeated(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """The function, called up to three times while the database ends its unit of work with a deadlock.

    For functions that hold one unit of work and have no other effect before its commit. The last error is raised.
    """

    @wraps(function)
    async def called(*args: P.args, **kwargs: P.kwargs) -> T:
        for number in range(1, TRIES):
            try:
                return await function(*args, **kwargs)
            except DBAPIError as error:
                if not was_ended(error):
                    raise
                log.warning("unit of work repeated", unit=function.__qualname__, attempt=number)
            await asyncio.sleep(PAUSE_SECONDS * number)
        return await function(*args, **kwargs)

    return called


def was_ended(error: DBAPIError) -> bool:
    """True if the database itself rolled the unit back, so that a repetition cannot do anything twice."""
    return getattr(error.orig, "sqlstate", None) in ENDED_BY_THE_DATABASE
