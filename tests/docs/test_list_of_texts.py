"""The list of all texts for translators: each has a place in the code, so that none is translated in vain."""

import json

import pytest

from tests.docs.text import ROOT
from tools.list_texts import LIST, SURFACES, texts_of, written


@pytest.mark.parametrize("folder", SURFACES)
def test_every_text_is_used_by_the_code_that_the_list_names(folder: str) -> None:
    texts = texts_of(folder)
    assert [text.key for text in texts if not text.places] == []
    assert {place for text in texts for place in text.places if not (ROOT / place).is_file()} == set()


def test_every_text_of_a_file_is_in_the_list() -> None:
    page = written()
    said = json.loads((ROOT / "backend/web/client/texts/en.json").read_text(encoding="utf-8"))
    assert [key for key in said if f"| `{key}` |" not in page] == []


def test_the_committed_page_is_as_the_texts_are() -> None:
    assert LIST.read_text(encoding="utf-8") == written(), "run: python -m tools.list_texts"
