"""A clock that tests and the sandbox move."""

from backend.core.clock import Clock, system_clock


class MovableClock:
    """A clock that can be set forward, for a world that lives through a hundred days in a minute."""

    def __init__(self, base: Clock = system_clock) -> None:
        self._base = base
        self._offset = 0.0

    def __call__(self) -> float:
        return self._base() + self._offset

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("a clock only moves forward")
        self._offset += seconds

    def set_back(self, seconds: float) -> None:
        """As when a clock that was ahead is set right."""
        self._offset -= seconds
