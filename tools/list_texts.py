"""Lists every text that people read, in English, with its place and its key: ``python -m tools.list_texts``.

The list is for translators: it goes to ``docs/texts.md``, and to the screen with ``--print``.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "docs/texts.md"
SURFACES = {
    "widget/i18n": ("Deal card and settings in Kommo", "widget"),
    "backend/web/frame/texts": ("Pages of administrators and finance", "backend"),
    "backend/core/sentences/texts": ("Refusals and problems, as pages show them", "backend"),
    "backend/web/client/texts": ("Pages of the client", "backend"),
    "backend/automation/sendings/i18n": ("Messages to the client, and what became of them", "backend/automation"),
    "backend/automation/rules/i18n": ("What a stage asked for: tasks and the list of entries", "backend/automation"),
    "backend/payments/deal/i18n": ("Why a deal is not paid: the sentence in the card", "backend/payments"),
    "backend/deal_sync/desired/i18n": ("Notes and tasks in Kommo", "backend/deal_sync"),
    "backend/kommo_api/field_names": ("Names of the deal's fields, and of the states in them", "backend"),
}
"""Folder of texts: its heading, and the folder whose code uses them."""
KOMMO = ("widget.", "settings.", "advanced.")
"""Beginnings of the widget's keys that its manifest names."""
SHOWN = 3
"""The largest number of files named for one text."""
HEAD = """# Texts

Every text that people read, in English, with the code that uses it. `python -m tools.list_texts` writes this page anew.
Other languages stand next to the English file of each folder; words and forms of address are in `docs/glossary.md`.

A name in braces is filled in: keep it as it is. A number in braces may be any number: write the sentence so that it
reads well with 1, 2, 5 and 21 ("Steps missing: {count}."), or add the forms `_one`, `_few`, `_many` next to `_other` as
the client's Russian pages do. A button's text is at most about 1.4 times as long as in English.
"""


@dataclass(frozen=True)
class Text:
    """``places``: the files that name ``key``, as paths in the repository."""

    key: str
    english: str
    places: tuple[str, ...]


def texts_of(folder: str) -> list[Text]:
    """Every English text of ``folder`` in the order of its file."""
    sentences = json.loads((ROOT / folder / "en.json").read_text(encoding="utf-8"))
    code = _code(SURFACES[folder][1])
    return [Text(key, english, _places(key, code)) for key, english in _flat(sentences)]


def written() -> str:
    """The whole page as Markdown."""
    return HEAD + "".join(_section(folder) for folder in SURFACES)


def _section(folder: str) -> str:
    lines = (f"| `{text.key}` | {_cell(text.english)} | {_named(text.places)} |" for text in texts_of(folder))
    heading = f"\n## {SURFACES[folder][0]}\n\n`{folder}`\n\n| key | English | used in |\n|---|---|---|\n"
    return heading + "\n".join(lines) + "\n"


def _named(places: tuple[str, ...]) -> str:
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return ", ".join(places[:SHOWN]) + more


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _flat(sentences: dict[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in sentences.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, str(value)


Words = dict[str, list[str]]
"""The files that have each word."""
WHOLE = re.compile(r"""["'`]([\w.]+)["'`]|texts\.(\w+)""")
BEGUN = re.compile(r"""["'`]([\w.]+[._])(?=["'`{$])""")
ENDED = re.compile(r"""(?:\}_?|["'`])([\w.]+)["'`]""")


@cache
def _code(folder: str) -> tuple[Words, Words, Words]:
    """The strings in the code under ``folder``: whole, as the beginning of a key, and as the end of one."""
    found: tuple[Words, Words, Words] = ({}, {}, {})
    for path in sorted(one for one in (ROOT / folder).rglob("*") if one.suffix in {".py", ".html", ".js"}):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        for words, pattern in zip(found, (WHOLE, BEGUN, ENDED), strict=True):
            for match in {next(word for word in one.groups() if word) for one in pattern.finditer(text)}:
                words.setdefault(match, []).append(name)
    return found


def _places(key: str, code: tuple[Words, Words, Words]) -> tuple[str, ...]:
    """The files that name the key whole; else those that build it from its beginning (``"state." + word``) or end.

    Kommo itself reads a few of the widget's from its manifest.
    """
    if key.startswith(KOMMO):
        return ("manifest.json",)
    whole, begun, ended = code
    parts = re.split(r"(?<=[._])", key)
    candidates = [whole.get(key)]
    candidates += [begun.get("".join(parts[:count])) for count in range(len(parts) - 1, 0, -1)]
    candidates += [ended.get("".join(parts[count:])) for count in range(1, len(parts))]
    return tuple(next((found for found in candidates if found), ()))


if __name__ == "__main__":
    if "--print" in sys.argv[1:]:
        sys.stdout.write(written())
    else:
        LIST.write_text(written(), encoding="utf-8")
