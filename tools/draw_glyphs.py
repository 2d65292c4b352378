"""``python -m tools.draw_glyphs``: draws the letters of the previews' pictures, by a browser and one of its fonts.

The product holds what comes of it, ``backend/web/client/pictures/glyphs.bin``, and needs neither font nor browser.
"""

import json
import zlib
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.chromium import launch_options

OUT = Path(__file__).parents[1] / "backend/web/client/pictures/glyphs.bin"
FONT = "DejaVu Sans"
LETTERS = "".join(
    chr(code)
    for first, last in ((0x20, 0x7E), (0xA0, 0x17F), (0x218, 0x21B), (0x400, 0x45F), (0x490, 0x491))
    for code in range(first, last + 1)
)
MARKS = "–—‘’‚“”„•…‹›№"
CURRENCIES = "$€£¥₺₽₹₴₸₩₪₫₦₱₾₡₲"
SIZES = {"name": (52, "bold", LETTERS + MARKS + CURRENCIES), "amount": (104, "bold", "")}
AMOUNT = "0123456789., /\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}+ABCDEFGHIJKLMNOPQRSTUVWXYZKčzłFtkrpBsS" + CURRENCIES
_DRAW = """([text, size, weight, font]) => {
  const side = size * 2, canvas = document.createElement("canvas");
  canvas.width = side; canvas.height = side;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.font = `${weight} ${size}px "${font}"`;
  return [...text].map((letter) => {
    pen.clearRect(0, 0, side, side);
    pen.fillText(letter, size / 2, size * 1.25);
    const alpha = pen.getImageData(0, 0, side, side).data.filter((_, at) => at % 4 === 3);
    return [letter, Math.round(pen.measureText(letter).width), [...alpha]];
  });
}"""


def main() -> None:
    head: dict[str, dict[str, list[int]]] = {}
    pixels = bytearray()
    with sync_playwright() as started:
        page = started.chromium.launch(**launch_options()).new_page()
        for name, (size, weight, letters) in SIZES.items():
            wanted = "".join(dict.fromkeys(letters or AMOUNT))
            head[name] = {}
            for letter, advance, alpha in _drawn(page, wanted, size, weight):
                head[name][letter] = [advance, *_cut(alpha, size, pixels)]
    told = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    OUT.write_bytes(zlib.compress(len(told).to_bytes(4) + told + pixels, 9))


def _drawn(page: Page, letters: str, size: int, weight: str) -> list[tuple[str, int, list[int]]]:
    drawn: list[tuple[str, int, list[int]]] = page.evaluate(_DRAW, [letters, size, weight, FONT])
    return drawn


def _cut(alpha: list[int], size: int, pixels: bytearray) -> list[int]:
    """[left, top, width, height, offset] of the part that has ink, in 16 steps; its pixels go to the end of all."""
    side = size * 2
    rows = [alpha[at : at + side] for at in range(0, side * side, side)]
    inked = [y for y, row in enumerate(rows) if max(row) > 7]
    if not inked:
        return [0, 0, 0, 0, 0]
    columns = [x for x in range(side) if any(row[x] > 7 for row in rows)]
    left, right, top, bottom = columns[0], columns[-1] + 1, inked[0], inked[-1] + 1
    offset = len(pixels)
    for row in rows[top:bottom]:
        pixels += bytes(round(value / 17) for value in row[left:right])
    return [left - size // 2, top - size // 4, right - left, bottom - top, offset]


if __name__ == "__main__":
    main()
