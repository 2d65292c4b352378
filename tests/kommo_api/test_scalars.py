"""Kommo sends numbers as numbers or as text, and leaves out what it likes."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kommo_api import parsing
from backend.kommo_api.scalars import Unreadable, flag, number, whole

IDS = st.integers(min_value=1, max_value=2**53)
LEAD_NUMBERS = "id price pipeline_id status_id responsible_user_id group_id updated_at updated_by".split()


@given(st.integers(min_value=-(2**63), max_value=2**63))
def test_a_whole_number_may_be_text(value: int) -> None:
    assert whole(value) == whole(str(value)) == whole(f" {value} ") == whole(f"{value}.0") == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_a_number_keeps_every_digit(value: Decimal) -> None:
    assert number(str(value)) == number(value) == value


@given(st.one_of(st.text(), st.none(), st.booleans(), st.floats(), st.lists(st.integers())))
def test_whatever_comes_it_is_a_number_or_unreadable(value: Any) -> None:
    try:
        read = whole(value)
    except Unreadable:
        read = None
    assert read is None or Decimal(str(value).strip()) == read


@pytest.mark.parametrize("value", [True, None, "", "12.5", 12.5, "1e400", "NaN", "Infinity", "0x10", [], {}])
def test_these_are_no_whole_numbers(value: Any) -> None:
    with pytest.raises(Unreadable):
        whole(value)


@given(st.fixed_dictionaries(dict.fromkeys(LEAD_NUMBERS, IDS)), st.sets(st.sampled_from(LEAD_NUMBERS)))
def test_a_lead_reads_the_same_with_any_of_its_numbers_as_text(row: dict[str, int], as_text: set[str]) -> None:
    loose = {key: str(value) if key in as_text else value for key, value in row.items()}
    assert parsing.lead(loose) == parsing.lead(row)


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.integers(), st.text(), st.lists(st.none()))))
def test_unknown_keys_change_nothing(more: dict[str, Any]) -> None:
    row = dict.fromkeys(LEAD_NUMBERS, 7)
    unknown = {f"new_{key}": value for key, value in more.items()}
    assert parsing.lead(row | unknown) == parsing.lead(row)


@pytest.mark.parametrize("nothing", [None, [], {}, ""])
def test_empty_parts_of_a_lead_may_have_any_shape(nothing: Any) -> None:
    row = dict.fromkeys(LEAD_NUMBERS, 7) | {"_embedded": nothing, "custom_fields_values": nothing}
    lead = parsing.lead(row)
    assert (lead.tags, lead.fields, lead.main_contact_id) == ((), {}, None)


@pytest.mark.parametrize(("value", "meant"), [(True, True), ("1", True), (1, True), ("true", True), (False, False)])
def test_a_flag_may_be_a_number_or_text(value: Any, meant: bool) -> None:
    assert flag(value) is meant


@pytest.mark.parametrize("value", [0, "0", "", None, "false", []])
def test_everything_else_is_no(value: Any) -> None:
    assert flag(value) is False
