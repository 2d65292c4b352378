"""Days in an account's time zone: which day a moment is in, and when the day ends. Some have 23 or 25 hours."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_named(timezone: str) -> tzinfo:
    """Return the zone of this IANA name, or UTC if there is none."""
    with suppress(ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(timezone)
    return UTC


def day_at(moment: float, timezone: str) -> date:
    """Return the day of a moment (epoch seconds) in the time zone."""
    return datetime.fromtimestamp(moment, zone_named(timezone)).date()


def end_of_day(day: date, timezone: str) -> float:
    """Return the midnight after ``day`` in epoch seconds."""
    return moment_on(day + timedelta(days=1), time(), timezone)


def moment_on(day: date, at: time, timezone: str) -> float:
    """Return a time of ``day`` in epoch seconds. If the clocks skip it, the result is later by the skipped hour."""
    return datetime.combine(day, at, zone_named(timezone)).timestamp()
