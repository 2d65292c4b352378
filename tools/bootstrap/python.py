"""Which Python to go on with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from tools.bootstrap.machine import CannotSetUp

OLDEST = (3, 11)


def newer_python(version: Sequence[int], which: Callable[[str], str | None]) -> str | None:
    """The Python to go on with where this one is too old; None where it is not."""
    if tuple(version) >= OLDEST:
        return None
    newer = next(filter(None, (which(f"python3.{minor}") for minor in (14, 13, 12, 11))), None)
    if not newer:
        raise CannotSetUp(
            f"Python {spoken(OLDEST)} or newer is needed; this is {spoken(version)}, and no newer one was found."
            " Install one (macOS: brew install python; Ubuntu: apt-get install python3.11), and start this again."
        )
    return newer


def spoken(version: Sequence[int]) -> str:
    return f"{version[0]}.{version[1]}"


def base_python() -> str:
    """Not the one of an environment that happens to be active: it might be the very one to be made anew."""
    return getattr(sys, "_base_executable", None) or sys.executable
