"""Reads rows that may be many without blocking the event loop."""

import asyncio
from typing import Any, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from backend.core.off_loop import MANY

T = TypeVar("T", bound=Any)
PORTION = 250


async def all_of(session: AsyncSession, statement: SelectOfScalar[T]) -> list[T]:
    """All rows of a statement without an order.

    Many rows are fetched in portions, so that other tasks run in between; few, the usual case, with one round trip.
    """
    few = (await session.exec(statement.limit(MANY + 1))).all()
    if len(few) <= MANY:
        return list(few)
    rows: list[T] = []
    found = await session.stream_scalars(statement.execution_options(yield_per=PORTION))
    async for portion in found.partitions():
        rows += portion
        await asyncio.sleep(0)
    return rows
