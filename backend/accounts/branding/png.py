"""PNG: keeps the chunks that draw one still picture; drops text, times, camera data and further frames."""

import zlib
from collections.abc import Iterator

from backend.accounts.branding.picture import NotDrawable, Picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DRAWS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"cHRM"))


def png(data: bytes) -> Picture:
    """The rebuilt picture. Raises ``NotDrawable``."""
    chunks = list(_chunks(data))
    names = [name for name, _ in chunks]
    if not names or names[0] != b"IHDR" or names.count(b"IHDR") != 1 or names[-1] != b"IEND" or b"IDAT" not in names:
        raise NotDrawable
    head = chunks[0][1]
    if len(head) != 13:
        raise NotDrawable
    body = SIGNATURE + b"".join(chunk(name, content) for name, content in chunks if name in DRAWS)
    return Picture("image/png", int.from_bytes(head[:4]), int.from_bytes(head[4:8]), body)


def chunk(name: bytes, content: bytes) -> bytes:
    """A PNG chunk: length, name, content, checksum."""
    return len(content).to_bytes(4) + name + content + zlib.crc32(name + content).to_bytes(4)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, content) up to IEND; data after it is ignored."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        name, content, told = data[at + 4 : at + 8], data[at + 8 : end], data[end : end + 4]
        if len(told) != 4 or int.from_bytes(told) != zlib.crc32(name + content):
            raise NotDrawable
        yield name, content
        if name == b"IEND":
            return
        at = end + 4
    raise NotDrawable
