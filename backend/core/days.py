"""Days in an account's time zone: which one it is, and when it is over. Summer time makes some of 23 or 25 hours."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_named(timezone: str) -> tzinfo:
    """The zone, or UTC where nobody knows one of that name."""
    with suppress(ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(timezone)
    return UTC


def day_at(moment: float, timezone: str) -> date:
    """The day on which ``moment`` lies."""
    return datetime.fromtimestamp(moment, zone_named(timezone)).date()


def end_of_day(day: date, timezone: str) -> float:
    """The midnight after ``day``, as seconds since the epoch."""
    return moment_on(day + timedelta(days=1), time(), timezone)


def moment_on(day: date, at: time, timezone: str) -> float:
    """``at`` o'clock on ``day``; where the clocks skip that hour, as much later."""
    return datetime.combine(day, at, zone_named(timezone)).timestamp()
