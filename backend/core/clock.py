"""Time as an argument: code that needs the time takes a clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, overload

from sqlalchemy import ColumnElement

Clock = Callable[[], float]
"""A function that returns epoch seconds (UTC), as ``time.time`` does."""

system_clock: Clock = time.time
SKEW_SECONDS = 5.0
"""The tolerated difference between the clocks of two hosts; a larger one is reported to the operator."""


def as_datetime(seconds: float) -> datetime:
    """Return the time of these epoch seconds, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def as_rfc3339(seconds: float) -> str:
    """Return epoch seconds as JSON's text in UTC, without fractions: ``2026-11-30T09:00:00Z``."""
    return as_datetime(seconds).isoformat(timespec="seconds").replace("+00:00", "Z")


@overload
def lies_ahead(moment: float, now: float, longest: float) -> bool: ...


@overload
def lies_ahead(moment: Any, now: Any, longest: float) -> ColumnElement[bool]: ...


def lies_ahead(moment: Any, now: Any, longest: float) -> Any:
    """True while a stored time is in the future; for a column, the SQL condition with the same rule.

    ``longest``: the largest distance at which a process stores such a time, in seconds. A time farther ahead was stored
    by a clock that has been set back since, and counts as past.
    """
    return (moment > now) & (moment <= now + longest + SKEW_SECONDS)
