"""Ids and numbers from callers: which of them a database can hold."""

LONGEST = 255
LARGEST_NUMBER = 2**63 - 1
"""The largest value of an integer column in both databases."""


def usable_id(text: str, longest: int = LONGEST) -> bool:
    """True if ``text`` can be an id here; other texts must not reach a database.

    A NUL is an error in PostgreSQL and none in SQLite.
    """
    return 0 < len(text) <= longest and text.isascii() and text.isprintable()


def usable_number(text: str) -> int | None:
    """Return the positive number that ``text`` writes in plain digits, or None if no column can hold it."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))):
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_NUMBER else None
