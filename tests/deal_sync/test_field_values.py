"""A wanted value beside the one that is there, whatever type of field holds it."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.deal_sync.field_values import as_written, same
from backend.kommo_api.values import EnumId, FieldValue

NEW_YORK = ZoneInfo("America/New_York")
LIST = {"id": 1, "type": "select", "enums": {"paid": 11, "pending": 12}}
EVENING = 1_800_060_000  # 2027-01-15 19:40 in New York, the 16th in UTC


@pytest.mark.parametrize(
    ("meta", "wanted", "there", "equal"),
    [
        ({"type": "numeric"}, "120", FieldValue("120.00"), True),
        ({"type": "numeric"}, "120", FieldValue("120.01"), False),
        ({"type": "numeric"}, "120", FieldValue("a word"), False),
        ({"type": "date_time"}, 5, FieldValue("5"), True),
        ({"type": "text"}, "EUR", FieldValue("EUR"), True),
        ({"type": "text"}, "partially_paid", FieldValue("Partially paid"), True),
        (LIST, "paid", FieldValue("Bezahlt", 11), True),
        (LIST, "paid", FieldValue("Paid", 12), False),
        ({"type": "date"}, EVENING, FieldValue(EVENING - 19 * 3600), True),
        ({"type": "date"}, EVENING, FieldValue(EVENING + 19 * 3600), False),
    ],
)
def test_what_is_there_already(meta: dict[str, Any], wanted: str | int, there: FieldValue, equal: bool) -> None:
    assert same(meta, wanted, there, NEW_YORK) is equal


def test_a_state_is_written_by_its_option() -> None:
    assert as_written(LIST, "paid", NEW_YORK) == EnumId(11)


def test_an_adopted_text_field_shows_the_label() -> None:
    assert as_written({"type": "text"}, "partially_refunded", NEW_YORK) == "Partially refunded"


def test_a_plain_date_is_written_as_noon_of_the_accounts_day() -> None:
    written = as_written({"type": "date"}, EVENING, NEW_YORK)
    assert same({"type": "date"}, EVENING, FieldValue(written), NEW_YORK)
