"""Answers made from the database, remembered with the reads they were made from (SQLite)."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from backend.core.cache import Cache
from backend.storage.db import Database
from backend.storage.plain_reads import Rows, read_again
from backend.storage.recorded_reads import Read, can_be_repeated, recorded

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
HOLDS_SECONDS = 10.0
"""How late an answer may show a change that time alone makes, such as a link that ends."""


@dataclass(frozen=True, slots=True)
class Remembered(Generic[T]):
    """``value`` was made at ``at`` by ``reads``. ``rows``: theirs, read before it was made; None if not comparable."""

    at: float
    reads: list[Read]
    rows: Rows | None
    value: T


async def remembered(
    database: Database, cache: Cache[K, Remembered[T]], key: K, now: float, make: Callable[[], Awaitable[T]]
) -> T:
    """Return what ``make`` returns, or its last value while all its reads still give the same rows.

    The value must depend on nothing but ``key``, the rows that ``make`` reads, and the time. A value is kept for at
    most ``HOLDS_SECONDS``; ``now``: epoch seconds. The reads are made again without the engine, all in one state of the
    database. PostgreSQL always makes the value: each read is a round trip.
    """
    if not database.is_sqlite:
        return await make()
    known = cache.get(key)
    rows = read_again(database, known.reads) if known else None
    if known and rows is not None and rows == known.rows and 0 <= now - known.at < HOLDS_SECONDS:
        return known.value
    with recorded() as reads:
        value = await make()
    if can_be_repeated(reads):
        same = known is not None and [text for text, _ in reads] == [text for text, _ in known.reads]
        cache.put(key, Remembered(now, reads, rows if same else None, value))
    return value
