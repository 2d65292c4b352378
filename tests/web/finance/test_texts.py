"""The app's texts exist in six languages, each with the same names and placeholders."""

import json
import re
from pathlib import Path

import pytest

from backend.core.i18n import LANGUAGES
from backend.web.frame.rendering import TEXTS

TEMPLATES = Path(TEXTS).parents[1] / "templates"
KOMMOS = {"Redirect URL"}
"""Names in Kommo's form, the same in each language."""


def texts(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((TEXTS / f"{language}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_text_with_the_same_placeholders(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert list(other) == list(english)
    for name, text in other.items():
        assert text.strip(), name
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[name])), name


def test_every_text_that_a_template_names_is_there() -> None:
    named = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r"""\bt\("(\w+)"[,)]""", path.read_text("utf-8"))
    }
    assert named
    assert named - texts("en").keys() == set()


def words_of(path: Path) -> set[str]:
    """The words of a template that stand in no text of ours, whatever language is asked for."""
    html = re.sub(r"<style>.*?</style>|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL)
    parts = (part.strip() for part in re.sub(r"<[^>]*>", "\n", html).splitlines())
    return {part for part in parts if re.search(r"[A-Za-z]{2}", part) and '="' not in part}


def test_no_template_has_words_of_one_language_only() -> None:
    found = {path.name: words for path in TEMPLATES.rglob("*.html") if (words := words_of(path) - KOMMOS)}
    assert found == {}
