"""The letters of the pictures, drawn beforehand by ``tools/draw_glyphs.py``."""

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
    """One letter: ink of 0 to 15 in rows, and where they stand from its place on the line."""

    advance: int
    left: int
    top: int
    rows: tuple[bytes, ...]


@dataclass(frozen=True)
class Hand:
    """The letters of one size."""

    glyphs: dict[str, Glyph]

    def can_write(self, text: str) -> bool:
        return all(letter in self.glyphs for letter in text)

    def width(self, text: str) -> int:
        return sum(self.glyphs[letter].advance for letter in text)

    def fitting(self, text: str, width: int) -> str:
        """``text``, cut with an ellipsis where it is wider."""
        if self.width(text) <= width:
            return text
        while text and self.width(f"{text}…") > width:
            text = text[:-1].rstrip()
        return f"{text}…"

    def placed(self, text: str, left: int, top: int) -> Iterator[tuple[Glyph, int, int]]:
        """Each letter with the place of its upper left corner."""
        for letter in text:
            glyph = self.glyphs[letter]
            yield glyph, left + glyph.left, top + glyph.top
            left += glyph.advance


@cache
def hand(name: str) -> Hand:
    """``name`` or ``amount``."""
    told = zlib.decompress(_DRAWN.read_bytes())
    end = 4 + int.from_bytes(told[:4])
    head, pixels = json.loads(told[4:end]), told[end:]
    return Hand({letter: _glyph(numbers, pixels) for letter, numbers in head[name].items()})


def _glyph(numbers: list[int], pixels: bytes) -> Glyph:
    advance, left, top, width, height, offset = numbers
    rows = (pixels[offset + width * row : offset + width * (row + 1)] for row in range(height))
    return Glyph(advance, left, top, tuple(rows))


def writable(text: str, letters: Hand) -> str:
    """``text`` with plainer letters where one is missing; "" where a letter has no plainer one."""
    plain = "".join(one if one in letters.glyphs else unicodedata.normalize("NFKD", one)[0] for one in text)
    return plain if letters.can_write(plain) else ""
