"""Bars as SVG, drawn here: a page without a script has its chart, and the table beside it has the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, FOOT, GAP = 720.0, 180.0, 24.0, 0.3
LEAST = 2.0
"""So that a small sum is seen to be one."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    width: float = WIDTH
    height: float = HEIGHT
    base: float = HEIGHT - FOOT


def chart_of(values: Sequence[int], labels: Sequence[str], said: Sequence[str]) -> Chart:
    """``said``: what a bar tells to who points at it."""
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
