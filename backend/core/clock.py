"""Time as an argument: code that needs the time takes a clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, overload

from sqlalchemy import ColumnElement

Clock = Callable[[], float]
"""Seconds since the epoch (UTC), as ``time.time`` gives them."""

system_clock: Clock = time.time
SKEW_SECONDS = 5.0
"""Clocks of two hosts may differ by so much; what differs by more is told to the operator."""


def as_datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def as_rfc3339(seconds: float) -> str:
    """The moment in UTC, as JSON has it: ``2026-11-30T09:00:00Z``."""
    return as_datetime(seconds).isoformat(timespec="seconds").replace("+00:00", "Z")


@overload
def lies_ahead(moment: float, now: float, longest: float) -> bool: ...


@overload
def lies_ahead(moment: Any, now: float, longest: float) -> ColumnElement[bool]: ...


def lies_ahead(moment: Any, now: float, longest: float) -> Any:
    """True while a stored moment is still to come. ``longest``: how far ahead of its present a process ever stores it;
    a moment farther away was stored by a clock that has been set back since, and counts as past.

    The same rule in Python and, for a column, in SQL.
    """
    return (moment > now) & (moment <= now + longest + SKEW_SECONDS)
