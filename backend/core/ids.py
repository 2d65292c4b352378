"""Names and numbers that callers send: which of them any database takes."""

LONGEST = 255
LARGEST_NUMBER = 2**63 - 1
"""What an integer column of either database holds."""


def usable_id(text: str, longest: int = LONGEST) -> bool:
    """Whether ``text`` can be the id of anything here; no database is asked for one that can not.

    A NUL is an error in PostgreSQL and none in SQLite, so such a text must not reach either.
    """
    return 0 < len(text) <= longest and text.isascii() and text.isprintable()


def usable_number(text: str) -> int | None:
    """The positive number that ``text`` writes in plain digits, or None where no column could hold it."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))):
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_NUMBER else None
