"""A picture that a browser draws, with the properties that we check."""

from dataclasses import dataclass


class NotDrawable(Exception):
    """The bytes are not a complete, still picture of the kind that their beginning promises."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A rebuilt picture; ``body`` has only the parts that draw it. Width and height in pixels."""

    content_type: str
    width: int
    height: int
    body: bytes
