"""The app's texts exist in six languages, each with the same names and placeholders."""

import json
import re
from pathlib import Path

import pytest

from backend.core.i18n import LANGUAGES
from backend.web.frame.rendering import TEXTS

TEMPLATES = Path(TEXTS).parents[1] / "templates" / "app"


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
