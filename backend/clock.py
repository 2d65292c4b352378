"""Time as an argument: whoever needs to know the time is handed a clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Seconds since the epoch (UTC), as ``time.time`` gives them."""

system_clock: Clock = time.time


class MovableClock:
    """A clock that can be set forward, for a world that lives through a hundred days in a minute."""

    def __init__(self, base: Clock = system_clock) -> None:
        self._base = base
        self._offset = 0.0

    def __call__(self) -> float:
        return self._base() + self._offset

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("a clock only moves forward")
        self._offset += seconds


def as_datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
