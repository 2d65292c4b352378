"""A zip whose bytes depend on its files alone, and the version of an earlier one."""

import io
import json
import re
import zipfile
from pathlib import Path

_WHEN = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100664 << 16
_UNIX = 3

Version = tuple[int, ...]


def packed(files: dict[str, bytes]) -> bytes:
    """The zip: files sorted by name, at the root, deflated, mode 0664, without a date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, allowZip64=False) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of a zip by name. Raises ``zipfile.BadZipFile``."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def earlier(out: Path) -> tuple[str, dict[str, bytes]] | None:
    """Version and files of the widget at ``out``, or None if there is none that can be read."""
    try:
        files = unpacked(out.read_bytes())
        version = json.loads(files["manifest.json"])["widget"]["version"]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError):
        return None
    return (version, files) if re.fullmatch(r"\d+\.\d+\.\d+", str(version)) else None


def raised(version: str, above: str) -> str:
    """``version`` if it is higher than ``above``, else the next version after ``above``."""
    if numbers(version) > numbers(above):
        return version
    *front, last = numbers(above)
    return ".".join(map(str, (*front, last + 1)))


def numbers(version: str) -> Version:
    """The parts of a dotted version as ints, which compare in the right order."""
    return tuple(int(part) for part in version.split("."))
