"""WebP: keeps the chunks that draw one still picture; drops camera data and other texts."""

from collections.abc import Iterator

from backend.accounts.branding.picture import NotDrawable, Picture

DRAWS = frozenset((b"VP8X", b"ICCP", b"ALPH", b"VP8 ", b"VP8L"))
ANIMATED, CAMERA, XMP = 0x02, 0x08, 0x04
"""Flags of an extended header."""


def webp(data: bytes) -> Picture:
    """The rebuilt picture. Raises ``NotDrawable``, also for an animated one."""
    chunks = [(name, content) for name, content in _chunks(data) if name in DRAWS]
    if not any(name in (b"VP8 ", b"VP8L") for name, _ in chunks):
        raise NotDrawable
    width, height = _size(*chunks[0])
    body = b"WEBP" + b"".join(_chunk(name, _without_texts(name, content)) for name, content in chunks)
    return Picture("image/webp", width, height, b"RIFF" + len(body).to_bytes(4, "little") + body)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, whole = 12, 8 + int.from_bytes(data[4:8], "little")
    if data[8:12] != b"WEBP" or whole > len(data):
        raise NotDrawable
    while at + 8 <= whole:
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if end > whole:
            raise NotDrawable
        yield data[at : at + 4], data[at + 8 : end]
        at = end + end % 2


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def _size(name: bytes, content: bytes) -> tuple[int, int]:
    if name == b"VP8X" and len(content) == 10 and not content[0] & ANIMATED:
        return 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(content[7:10], "little")
    if name == b"VP8L" and len(content) > 5 and content[0] == 0x2F:
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if name == b"VP8 " and content[3:6] == b"\x9d\x01\x2a" and len(content) > 10:
        return (int.from_bytes(content[6:8], "little") & 0x3FFF, int.from_bytes(content[8:10], "little") & 0x3FFF)
    raise NotDrawable


def _without_texts(name: bytes, content: bytes) -> bytes:
    return bytes([content[0] & ~(CAMERA | XMP)]) + content[1:] if name == b"VP8X" else content
