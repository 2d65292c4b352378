"""The doubtful points of Kommo's documents, each with its readings: the world can be played in any of them.

``SWITCHES`` is the whole list. The first reading of a switch is the one we believe; ``Switches`` holds the
readings that one world is played in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sandbox.kommo.doubts import ALL


class UnknownSwitch(KeyError):
    """No switch has this name."""


class UnknownReading(ValueError):
    """The switch has no such reading."""


@dataclass(frozen=True)
class Switch:
    """``section`` is the section of docs/facts/kommo-api.md that states the doubt."""

    name: str
    section: str
    explanation: str
    readings: Mapping[str, str]

    @property
    def default(self) -> str:
        return next(iter(self.readings))


SWITCHES: dict[str, Switch] = {
    name: Switch(name, section, explanation, readings)
    for table in ALL
    for name, (section, explanation, readings) in table.items()
}


class Switches(Mapping[str, str]):
    """The readings of one world: a mapping from every switch's name to its present reading."""

    def __init__(self, readings: Mapping[str, str] | None = None) -> None:
        self._readings = {name: switch.default for name, switch in SWITCHES.items()}
        for name, reading in (readings or {}).items():
            self.set(name, reading)

    def set(self, name: str, reading: str) -> None:
        _check(name, reading)
        self._readings[name] = reading

    def reads(self, name: str, reading: str) -> bool:
        """Is ``name`` played in ``reading``? A misspelt reading raises instead of being never true."""
        _check(name, reading)
        return self._readings[name] == reading

    def __getitem__(self, name: str) -> str:
        return self._readings[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._readings)

    def __len__(self) -> int:
        return len(self._readings)


def _check(name: str, reading: str) -> None:
    if name not in SWITCHES:
        raise UnknownSwitch(name)
    if reading not in SWITCHES[name].readings:
        raise UnknownReading(f"{name} reads {', '.join(SWITCHES[name].readings)}, not {reading}")
