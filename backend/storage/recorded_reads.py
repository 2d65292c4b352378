"""Record the reads that an answer was made from, to make them again and see whether it still holds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

Read = tuple[str, Any]
"""A statement and its parameters, as the driver gets them."""
_recording: ContextVar[list[Read] | None] = ContextVar("recording", default=None)


@contextmanager
def recorded() -> Iterator[list[Read]]:
    """Yield the list of statements that this task executes within, in order, transactions' own left out."""
    reads: list[Read] = []
    token = _recording.set(reads)
    try:
        yield reads
    finally:
        _recording.reset(token)


def watch(*engines: AsyncEngine) -> None:
    """Let ``recorded`` see the statements of these engines."""
    for engine in set(engines):
        event.listen(engine.sync_engine, "before_cursor_execute", _note)


def _note(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, _many: bool) -> None:
    reads = _recording.get()
    if reads is not None and text != "BEGIN":
        reads.append((text, parameters))


def can_be_repeated(reads: Sequence[Read]) -> bool:
    """True if nothing was written."""
    return all(text.lstrip().startswith(("SELECT", "WITH")) for text, _ in reads)
