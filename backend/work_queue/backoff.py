"""Retry schedule: soon at first, for a hiccup; rarely later, for an outage; then it ends."""

WAITS = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0)
"""Waits in seconds; the last one repeats."""
LONGEST_WAIT_SECONDS = WAITS[-1]
GIVE_UP_SECONDS = 30 * 24 * 3600.0
"""After this many seconds of waits a person must act; the reason is stored with the failed item."""
NEVER = 253_402_300_799.0
"""The end of the year 9999."""


def wait_after(attempts: int) -> float:
    """Seconds to wait after a failure that follows ``attempts`` earlier failures."""
    return WAITS[min(attempts, len(WAITS) - 1)]


def gives_up(attempts: int) -> bool:
    """True if the waits after ``attempts`` failures add up to thirty days.

    The waits count, not the age: an item that was untried for a month, or replayed after it was given up, gets the
    whole schedule.
    """
    rest = attempts - len(WAITS)
    return sum(WAITS[:attempts]) + max(rest, 0) * WAITS[-1] >= GIVE_UP_SECONDS
