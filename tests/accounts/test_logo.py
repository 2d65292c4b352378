"""The logo: told by its content, rebuilt from what draws it, bounded in bytes and pixels."""

import zlib
from contextlib import suppress

import pytest

from backend.accounts.branding.logo import MOST_BYTES, checked_logo
from backend.accounts.branding.png import SIGNATURE, chunk
from backend.core.errors import FieldInvalid

SECRET = b"GPS 19.43 N 99.13 W"


def png(width: int = 64, height: int = 32, *more: bytes) -> bytes:
    """A grey picture; ``more`` chunks stand before its end."""
    head = width.to_bytes(4) + height.to_bytes(4) + bytes((8, 0, 0, 0, 0))
    drawn = zlib.compress((b"\0" + b"\x80" * width) * height)
    return SIGNATURE + b"".join([chunk(b"IHDR", head), chunk(b"IDAT", drawn), *more, chunk(b"IEND", b"")])


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


def jpeg(width: int = 64, height: int = 32, *more: bytes) -> bytes:
    """As far as its segments go: nobody draws it here."""
    frame = _segment(0xC2, b"\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x01\x01\x11\x00")
    scan = _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + _segment(0xE0, b"JFIF\0") + b"".join(more) + frame + scan + scan + b"\xff\xd9"


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def webp(width: int = 64, height: int = 32, flags: int = 0, *more: bytes) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    lossless = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + b"\0"
    body = b"WEBP" + _chunk(b"VP8X", bytes((flags, 0, 0, 0)) + size) + _chunk(b"VP8L", lossless) + b"".join(more)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize(("make", "kind"), [(png, "image/png"), (jpeg, "image/jpeg"), (webp, "image/webp")])
def test_a_picture_is_told_by_its_content(make: object, kind: str) -> None:
    picture = checked_logo(make(300, 100))  # type: ignore[operator]
    assert (picture.content_type, picture.width, picture.height) == (kind, 300, 100)
    assert checked_logo(picture.body) == picture


@pytest.mark.parametrize(
    "data",
    [
        png(64, 32, chunk(b"tEXt", SECRET), chunk(b"eXIf", SECRET), chunk(b"fdAT", SECRET)) + SECRET,
        jpeg(64, 32, _segment(0xE1, b"Exif\0\0" + SECRET), _segment(0xFE, SECRET)) + SECRET,
        webp(64, 32, 0x0C, _chunk(b"EXIF", SECRET), _chunk(b"XMP ", SECRET)) + SECRET,
    ],
)
def test_where_and_by_what_it_was_made_is_left_out_and_what_hangs_on_behind(data: bytes) -> None:
    body = checked_logo(data).body
    assert SECRET not in body
    assert checked_logo(body).body == body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"GIF89a" + b"\0" * 40,
        b"<html><script>alert(1)</script>",
        png()[:-1],
        png()[:40],
        png().replace(b"IDAT", b"IDOT"),
        SIGNATURE + chunk(b"IEND", b""),
        jpeg()[:-2],
        jpeg()[:30],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff\xc2\x00\x02" + b"\xff\xd9",
        webp()[:-4],
        webp(flags=0x02),
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 28,
        png(15, 64),
        png(64, 1201),
        jpeg(0, 64),
        b"\x89PNG\r\n\x1a\n" + b"\0" * MOST_BYTES,
    ],
)
def test_anything_else_is_refused_at_its_field(data: bytes) -> None:
    with pytest.raises(FieldInvalid) as refused:
        checked_logo(data)
    assert refused.value.field == "logo"


@pytest.mark.parametrize("make", [png, jpeg, webp])
def test_a_cut_or_spoiled_picture_raises_nothing_else(make: object) -> None:
    whole = make()  # type: ignore[operator]
    for at in range(len(whole)):
        for spoiled in (whole[:at], whole[:at] + b"\xff" + whole[at + 1 :], whole[:at] + b"\0" + whole[at + 1 :]):
            with suppress(FieldInvalid):
                checked_logo(spoiled)
