"""The progress of long work, for its caller to show."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Told how much is done, and of how much in all where that is known."""


def unseen(_done: int, _total: int | None) -> None:
    """Nobody watches."""


def unsaid(_sentence: str) -> None:
    """Nobody listens."""
