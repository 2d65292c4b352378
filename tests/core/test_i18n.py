"""Names from outside inside our sentences."""

import unicodedata
from pathlib import Path

import pytest

from backend.core.i18n import LANGUAGES, isolated, texts_in

NOTES = Path(__file__).parents[2] / "backend/deal_sync/desired/i18n"
SHALOM = "\u05e9\u05dc\u05d5\u05dd 50%"


@pytest.mark.parametrize("text", ["Sofa", "", "Диван 50%", "山田商店", "👍", "\u200d"])
def test_a_name_from_left_to_right_stays_as_it_is(text: str) -> None:
    assert isolated(text) == text


def test_a_name_from_right_to_left_begins_and_ends_its_own_direction() -> None:
    assert isolated(SHALOM) == f"\u2068{SHALOM}\u2069"


def test_what_forces_a_direction_is_left_out() -> None:
    assert isolated("ab\u202ecd\u2067") == "abcd"
    assert isolated("\u202e" + SHALOM) == f"\u2068{SHALOM}\u2069"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_note_keeps_its_amount_where_it_stands(language: str) -> None:
    said = texts_in(NOTES, language).say("payment_for", amount="120.00 EUR", description=SHALOM)
    assert f"\u2068{SHALOM}\u2069" in said
    assert {unicodedata.bidirectional(sign) for sign in "120.00 EUR"} <= {"EN", "CS", "WS", "L"}
    assert "120.00 EUR" in said
