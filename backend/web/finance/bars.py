"""Bar charts as SVG shapes: a page without a script has its chart, and the table next to it has the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, FOOT, GAP = 720.0, 180.0, 24.0, 0.3
LEAST = 2.0
"""A small sum is still visible."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar in SVG units; ``label`` stands below it, ``said`` is its tooltip."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars and the size of the drawing, in SVG units."""

    bars: tuple[Bar, ...]
    width: float = WIDTH
    height: float = HEIGHT
    base: float = HEIGHT - FOOT


def chart_of(values: Sequence[int], labels: Sequence[str], said: Sequence[str]) -> Chart:
    """Return a bar for each value; ``said`` are the tooltips. Negative values have no height."""
    most = max((*values, 1))
    slot, room = WIDTH / max(1, len(values)), HEIGHT - FOOT - 8
    bars = []
    for number, value in enumerate(values):
        height = max(LEAST, room * value / most) if value > 0 else 0.0
        x = number * slot + slot * GAP / 2
        middle = number * slot + slot / 2
        y = HEIGHT - FOOT - height
        width = slot * (1 - GAP)
        sizes = (*_rounded(x, y), *_rounded(width, height))
        bars.append(Bar(*sizes, round(middle, 2), labels[number], said[number]))
    return Chart(tuple(bars))


def _rounded(one: float, other: float) -> tuple[float, float]:
    return round(one, 2), round(other, 2)
