"""When to try again what did not work, and when to stop: soon at first, for a hiccup; rarely later, for an outage."""

WAITS = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0)
"""Seconds; the last one again and again."""
LONGEST_WAIT_SECONDS = WAITS[-1]
GIVE_UP_SECONDS = 30 * 24 * 3600.0
"""Then it is for a person, who finds the reason beside it."""
NEVER = 253_402_300_799.0
"""The end of the year 9999."""


def wait_after(attempts: int) -> float:
    """``attempts`` that failed before this one."""
    return WAITS[min(attempts, len(WAITS) - 1)]


def gives_up(attempts: int) -> bool:
    """After so many that failed. The waits between them count, not the age of the thing: what lay for a month, untried
    or given up and then replayed, has the whole schedule before it."""
    rest = attempts - len(WAITS)
    return sum(WAITS[:attempts]) + max(rest, 0) * WAITS[-1] >= GIVE_UP_SECONDS
