"""A PNG of 1200 × 630 pixels, the size that messengers crop least: name, amount, and a band for test payments."""

import zlib

from backend.accounts.branding.png import SIGNATURE, chunk
from backend.web.client.pictures.glyphs import Hand, hand, writable

WIDTH, HEIGHT = 1200, 630
MARGIN = 84
STEPS = 16
PAPER, BAND = (255, 255, 255), (255, 226, 168)
INKS = ((86, 98, 112), (27, 37, 48), (74, 47, 0))
"""Colours (RGB) of the name, the amount and the band's words."""
EDGE = (47, 95, 208)
NAME, AMOUNT, WORDS = range(3)
_EDGE_COLOUR = STEPS * len(INKS)
NAME_TOP, AMOUNT_TOP, BAND_TOP, WORDS_TOP = 150, 270, 510, 535


class Canvas:
    """Rows of palette indexes: each ink has sixteen shades, from its background to full ink."""

    def __init__(self) -> None:
        self._pixels = bytearray(WIDTH * HEIGHT)

    def fill(self, left: int, top: int, width: int, height: int, colour: int) -> None:
        """Fill a rectangle, in pixels, with a palette index."""
        for y in range(top, top + height):
            self._pixels[y * WIDTH + left : y * WIDTH + left + width] = bytes((colour,)) * width

    def write(self, text: str, letters: Hand, left: int, top: int, ink: int) -> None:
        """Draw a line of text whose upper left corner is at (``left``, ``top``) pixels; ``ink`` is an index of
        ``INKS``.
        """
        shades = bytes(ink * STEPS + min(step, STEPS - 1) for step in range(256))
        for glyph, x, y in letters.placed(text, left, top):
            for row, inked in enumerate(glyph.rows):
                at = (y + row) * WIDTH + x
                self._pixels[at : at + len(inked)] = inked.translate(shades)

    def png(self) -> bytes:
        """Return the picture as an indexed PNG file of ``WIDTH`` by ``HEIGHT`` pixels."""
        head = WIDTH.to_bytes(4) + HEIGHT.to_bytes(4) + bytes((8, 3, 0, 0, 0))
        rows = (b"\0" + self._pixels[y * WIDTH : (y + 1) * WIDTH] for y in range(HEIGHT))
        drawn = zlib.compress(b"".join(rows), 6)
        return SIGNATURE + b"".join(
            (chunk(b"IHDR", head), chunk(b"PLTE", _palette()), chunk(b"IDAT", drawn), chunk(b"IEND", b""))
        )


def card(name: str, amount: str, band: str = "") -> bytes:
    """Return the preview picture of a link as a PNG file.

    ``name``: the merchant; ``amount``: the formatted amount or a statement's title; ``band``: the words of the band for
    test payments, '' for none. A text that is too wide is set smaller or shortened; a text that the glyphs cannot write
    is left out, because the page shows it as well.
    """
    canvas, small, large = Canvas(), hand("name"), hand("amount")
    room = WIDTH - 2 * MARGIN
    canvas.fill(0, 0, 24, HEIGHT, _EDGE_COLOUR)
    canvas.write(small.fitting(writable(name, small), room), small, MARGIN, NAME_TOP, NAME)
    fits = large.can_write(amount) and large.width(amount) <= room
    if fits:
        canvas.write(amount, large, MARGIN, AMOUNT_TOP, AMOUNT)
    else:
        canvas.write(small.fitting(writable(amount, small), room), small, MARGIN, AMOUNT_TOP, AMOUNT)
    if band:
        canvas.fill(0, BAND_TOP, WIDTH, HEIGHT - BAND_TOP, WORDS * STEPS)
        canvas.write(small.fitting(writable(band, small), room), small, MARGIN, WORDS_TOP, WORDS)
    return canvas.png()


def _palette() -> bytes:
    grounds = (PAPER, PAPER, BAND)
    shades = (
        tuple(round(paper + (ink - paper) * step / (STEPS - 1)) for paper, ink in zip(ground, dark, strict=True))
        for ground, dark in zip(grounds, INKS, strict=True)
        for step in range(STEPS)
    )
    return b"".join(bytes(shade) for shade in (*shades, EDGE))
