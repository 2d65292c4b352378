"""Finds and reads the widget's sources."""

from dataclasses import dataclass
from pathlib import Path

from backend.widget_archive.errors import SourcesMissing

_BACKEND = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sources:
    """Source texts by name: ``scripts`` by path below ``widget/`` without ``.js`` (``card/view``), ``languages`` by
    code (``widget/i18n/<code>.json``), ``images`` by file name."""

    manifest: str
    style: str
    scripts: dict[str, str]
    languages: dict[str, str]
    images: dict[str, bytes]


def find_sources() -> Path:
    """The folder with ``manifest.json`` and ``widget/``: a checkout's root, or inside an installed package.

    Raises ``SourcesMissing``.
    """
    for folder in (_BACKEND / "_widget", _BACKEND.parent):
        if (folder / "manifest.json").is_file() and (folder / "widget" / "script.js").is_file():
            return folder
    raise SourcesMissing(f"The widget's sources are neither in {_BACKEND / '_widget'} nor in {_BACKEND.parent}.")


def read_sources(folder: Path) -> Sources:
    """The sources in ``folder``. Raises ``SourcesMissing`` with the name of a missing file."""
    widget = folder / "widget"
    try:
        return Sources(
            manifest=_text(folder / "manifest.json"),
            style=_text(widget / "style.css"),
            scripts={_name(path, widget): _text(path) for path in sorted(widget.rglob("*.js"))},
            languages={path.stem: _text(path) for path in sorted((widget / "i18n").glob("*.json"))},
            images={path.name: path.read_bytes() for path in sorted((widget / "images").glob("*.png"))},
        )
    except FileNotFoundError as error:
        raise SourcesMissing(f"The widget's source {error.filename} is missing.") from error


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _name(script: Path, widget: Path) -> str:
    return script.relative_to(widget).with_suffix("").as_posix()
