"""One word for a notion in each language, as docs/glossary.md has it, in every text that people read."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.text import ROOT, read

GLOSSARY = ROOT / "docs/glossary.md"
FOLDERS = {
    "rep": (
        "widget/i18n",
        "backend/deal_sync/desired/i18n",
        "backend/payments/deal/i18n",
        "backend/automation/rules/i18n",
        "backend/automation/sendings/i18n",
        "backend/web/frame/texts",
        "backend/core/sentences/texts",
        "backend/kommo_api/field_names",
    ),
    "client": ("backend/web/client/texts",),
}
PAGES = ("setup*.html", "app/*.html", "app/*/*.html")
DOCS = (
    *(path for pages in PAGES for path in (ROOT / "backend/web/templates").glob(pages)),
    *(ROOT / "docs").glob("[cio][anp]*.md"),
)
KEYS = {"widget": "widget/i18n", "client": "backend/web/client/texts", "frame": "backend/web/frame/texts"}
COMMAND = re.compile(r"`[^`\n]*`|^python3 .*$|name=\"[^\"]*\"|\{[%{].*?[%}]\}", re.MULTILINE)
"""What is no sentence: code in documents, and names in templates."""


def _rows(heading: str) -> list[dict[str, str]]:
    part = read(GLOSSARY).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"]
    return [dict(zip(lines[0], cells, strict=True)) for cells in lines[2:]]


def _sentences(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _sentences(one)
    else:
        yield str(value)


def _texts(where: str, language: str) -> Iterator[tuple[str, str]]:
    """(file, sentence) of those that are read there."""
    if where == "docs":
        yield from ((path.name, COMMAND.sub("", path.read_text(encoding="utf-8"))) for path in DOCS)
        return
    for folder in FOLDERS["rep"] + FOLDERS["client"] if where == "all" else FOLDERS[where]:
        path = ROOT / folder / f"{language}.json"
        if path.exists():
            yield from ((f"{folder}/{path.name}", one) for one in _sentences(json.loads(path.read_text("utf-8"))))


def _pattern(word: str) -> re.Pattern[str]:
    """Small letters where the word has them; one that begins with a capital is meant so, but for a name's."""
    end = "" if word.endswith("-") else r"(?!\w)"
    flags = re.NOFLAG if word[0].isupper() else re.IGNORECASE
    return re.compile(rf"(?<!\w){re.escape(word.removesuffix('-'))}{end}", flags)


@pytest.mark.parametrize(
    "row", _rows("Not these"), ids=lambda row: f"{row['language']}-{row['where']}-{row['not'][:12]}"
)
def test_a_word_that_has_a_better_one_stands_nowhere(row: dict[str, str]) -> None:
    for word in row["not"].split(", "):
        found = [(f, text) for f, text in _texts(row["where"], row["language"]) if _pattern(word).search(_said(text))]
        assert found == [], f"{word} → {row['but']}"


def _said(text: str) -> str:
    """Without the names of placeholders."""
    return re.sub(r"\{\w+\}", "", text)


@pytest.mark.parametrize("row", [row for row in _rows("Words") if row["key"]], ids=lambda row: row["key"])
def test_a_word_is_the_same_in_the_glossary_and_on_the_screen(row: dict[str, str]) -> None:
    face, key = row["key"].split()
    for path in sorted((ROOT / KEYS[face]).glob("*.json")):
        shown = json.loads(path.read_text("utf-8"))
        for name in key.split("."):
            shown = shown[name]
        assert shown == row[path.stem], path


def test_every_text_file_is_of_a_folder_that_the_glossary_knows() -> None:
    known = {ROOT / folder for folders in FOLDERS.values() for folder in folders}
    there: set[Path] = {path.parent for part in ("backend", "widget") for path in (ROOT / part).rglob("es.json")}
    assert there == known


def test_the_guides_are_read() -> None:
    assert {path.name for path in DOCS} >= {"card.md", "install.md", "operations.md", "setup.html", "stripe.html"}
