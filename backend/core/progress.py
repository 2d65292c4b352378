"""Report the progress of long work to its caller."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""A function that gets the amount of work done, and the total or None."""


def unseen(_done: int, _total: int | None) -> None:
    """Ignore the progress."""


def unsaid(_sentence: str) -> None:
    """Ignore the sentence."""
