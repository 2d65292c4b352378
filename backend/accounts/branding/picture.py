"""A picture that a browser draws, as far as we look into it."""

from dataclasses import dataclass


class NotDrawable(Exception):
    """The bytes are no whole picture of the kind that they begin like."""


@dataclass(frozen=True, slots=True)
class Picture:
    """``body`` holds no more than what draws it."""

    content_type: str
    width: int
    height: int
    body: bytes
