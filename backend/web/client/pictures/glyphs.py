"""The glyphs of the pictures, drawn in advance by ``tools/draw_glyphs.py``."""

import json
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_DRAWN = Path(__file__).with_name("glyphs.bin")


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character: rows of ink from 0 to 15, and offsets in pixels from its place on the line."""

    advance: int
    left: int
    top: int
    rows: tuple[bytes, ...]


@dataclass(frozen=True)
class Hand:
    """The glyphs of one font size."""

    glyphs: dict[str, Glyph]

    def can_write(self, text: str) -> bool:
        """Return whether there is a glyph for each character."""
        return all(letter in self.glyphs for letter in text)

    def width(self, text: str) -> int:
        """Return the text's width in pixels; each of its characters must have a glyph (``can_write``)."""
        return sum(self.glyphs[letter].advance for letter in text)

    def fitting(self, text: str, width: int) -> str:
        """Return ``text``, shortened with an ellipsis if it is wider than ``width`` pixels."""
        if self.width(text) <= width:
            return text
        while text and self.width(f"{text}…") > width:
            text = text[:-1].rstrip()
        return f"{text}…"

    def placed(self, text: str, left: int, top: int) -> Iterator[tuple[Glyph, int, int]]:
        """Yield each character's glyph with the (x, y) of its upper left corner, in pixels."""
        for letter in text:
            glyph = self.glyphs[letter]
            yield glyph, left + glyph.left, top + glyph.top
            left += glyph.advance


@cache
def hand(name: str) -> Hand:
    """Return the glyphs of a size: ``name`` or ``amount``. Read once from ``glyphs.bin``."""
    told = zlib.decompress(_DRAWN.read_bytes())
    end = 4 + int.from_bytes(told[:4])
    head, pixels = json.loads(told[4:end]), told[end:]
    return Hand({letter: _glyph(numbers, pixels) for letter, numbers in head[name].items()})


def _glyph(numbers: list[int], pixels: bytes) -> Glyph:
    advance, left, top, width, height, offset = numbers
    rows = (pixels[offset + width * row : offset + width * (row + 1)] for row in range(height))
    return Glyph(advance, left, top, tuple(rows))


def writable(text: str, letters: Hand) -> str:
    """Return ``text`` with missing characters replaced by their base letters; "" if one has none."""
    plain = "".join(one if one in letters.glyphs else unicodedata.normalize("NFKD", one)[0] for one in text)
    return plain if letters.can_write(plain) else ""
