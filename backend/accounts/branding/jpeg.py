"""JPEG: keeps the segments that draw the picture; drops camera data, locations, thumbnails and comments."""

from backend.accounts.branding.picture import NotDrawable, Picture

BEGIN, END = b"\xff\xd8", b"\xff\xd9"
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Segments with the size: SOF0 to SOF15, except the three numbers with another meaning."""
SCAN = 0xDA
LEFT_OUT = frozenset(range(0xE1, 0xF0)) - {0xEE} | {0xFE}
"""APP1 to APP15 and comments, except APP14, which defines the colour coding. APP0 belongs to JFIF and is kept."""


def jpeg(data: bytes) -> Picture:
    """The rebuilt picture. Raises ``NotDrawable``."""
    kept, size, at = [BEGIN], None, 2
    while data[at : at + 2] != END:
        if len(data) < at + 4 or data[at] != 0xFF:
            raise NotDrawable
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker in FRAMES:
            size = _size(data[at:end])
        end = _scan_end(data, end) if marker == SCAN else end
        if marker not in LEFT_OUT:
            kept.append(data[at:end])
        at = end
    if size is None or not any(part[1] == SCAN for part in kept[1:]):
        raise NotDrawable
    return Picture("image/jpeg", *size, b"".join([*kept, END]))


def _size(segment: bytes) -> tuple[int, int]:
    if len(segment) < 9:
        raise NotDrawable
    return int.from_bytes(segment[7:9]), int.from_bytes(segment[5:7])


def _scan_end(data: bytes, at: int) -> int:
    """The position of the next segment: inside a scan, 0xFF is followed by 0 or by a restart number."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2
    raise NotDrawable
