"""What is left of a change when Kommo names a part of it."""

import pytest

from backend.deal_sync.apply.refusals import names_the_deal, without_named
from backend.kommo_api.errors import FieldError, KommoRefused
from backend.kommo_api.values import LeadChange

CHANGE = LeadChange(7, {11: "a", 12: "b", 13: "c"}, 1, 142, "7")


def refused(*paths: str, detail: str = "", code: str = "NotSupportedChoice") -> KommoRefused:
    return KommoRefused(detail, by_request={"7": [FieldError(code, path, "bad") for path in paths]}, by_lead={})


@pytest.mark.parametrize(
    ("paths", "fields", "status"),
    [
        (["custom_fields_values.1.field_id"], {11, 13}, 142),
        (["custom_fields_values.0.values.0.enum_id", "custom_fields_values.2.field_id"], {12}, 142),
        (["status_id"], {11, 12, 13}, None),
        (["pipeline_id", "custom_fields_values.0.field_id"], {12, 13}, None),
    ],
)
def test_what_is_named_is_left_out(paths: list[str], fields: set[int], status: int | None) -> None:
    rest = without_named(CHANGE, refused(*paths))
    assert rest is not None
    assert (set(rest.fields), rest.status_id, rest.pipeline_id is None) == (fields, status, status is None)


@pytest.mark.parametrize("paths", [[], ["responsible_user_id"], ["custom_fields_values"], ["custom_fields_values.9.x"]])
def test_what_can_not_be_left_out_refuses_the_deal(paths: list[str]) -> None:
    assert without_named(CHANGE, refused(*paths)) is None


def test_nothing_is_sent_where_nothing_is_left() -> None:
    change = LeadChange(7, {11: "a"}, None, None, "7")
    assert without_named(change, refused("custom_fields_values.0.field_id")) is None


@pytest.mark.parametrize(
    ("refusal", "gone"),
    [
        (refused("id"), True),
        (refused("entity_id"), True),
        (refused("name", code="226"), True),
        (refused(detail="226: the element is deleted"), True),
        (refused("status_id"), False),
    ],
)
def test_a_deal_that_is_gone_is_told_from_one_that_is_refused(refusal: KommoRefused, gone: bool) -> None:
    assert names_the_deal(refusal) is gone
