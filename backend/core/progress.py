"""How far long work has come, for whoever watches it."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Told how much is done, and of how much in all where that is known."""


def unseen(_done: int, _total: int | None) -> None:
    """Nobody watches."""
