"""Time as an argument: whoever needs to know the time is handed a clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Seconds since the epoch (UTC), as ``time.time`` gives them."""

system_clock: Clock = time.time


def as_datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
