"""Custom fields, their groups and their values."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.kommo.conftest import Kommo

FIELDS = "/api/v4/leads/custom_fields"


async def made(kommo: Kommo, **item: Any) -> Any:
    answer = await kommo.http.post(FIELDS, json=[{"name": "Field", "type": "text", **item}])
    assert answer.status_code == 201, answer.text
    return answer.json()["_embedded"]["custom_fields"][0]


async def written(kommo: Kommo, field_id: int, *values: Any) -> Any:
    """What is read back of these values, or the errors."""
    sent = {"custom_fields_values": [{"field_id": field_id, "values": list(values)}]}
    answer = await kommo.http.patch(f"/api/v4/leads/{kommo.lead.id}", json=sent)
    if answer.status_code != 200:
        return answer.json()["validation-errors"][0]["errors"][0]
    lead = await kommo.read(f"/api/v4/leads/{kommo.lead.id}")
    return lead["custom_fields_values"][0]["values"]


async def test_a_group_and_fields_in_it_are_made_and_listed(kommo: Kommo) -> None:
    answer = await kommo.http.post(f"{FIELDS}/groups", json=[{"name": "Payments", "sort": 5}])
    group = answer.json()["_embedded"]["custom_field_groups"][0]
    field = await made(kommo, code="MY_CODE", group_id=group["id"], is_api_only=True)
    listed = (await kommo.read(FIELDS))["_embedded"]["custom_fields"]
    assert [(one["id"], one["code"], one["group_id"], one["is_api_only"]) for one in listed] == [
        (field["id"], "MY_CODE", group["id"], True)
    ]


async def test_a_code_is_taken_once(kommo: Kommo) -> None:
    await made(kommo, code="MY_CODE")
    answer = await kommo.http.post(FIELDS, json=[{"name": "Other", "type": "text", "code": "MY_CODE"}])
    error = answer.json()["validation-errors"][0]["errors"][0]
    assert (error["code"], error["path"]) == ("NotSupportedChoice", "code")


async def test_only_admins_make_fields(kommo: Kommo) -> None:
    sam = next(user for user in kommo.account.users.values() if not user.is_admin)
    item = [{"name": "Field", "type": "text"}]
    assert (await kommo.http.post(FIELDS, json=item, headers=kommo.as_user(sam.id))).status_code == 403
    kommo.play(no_right="400_244")
    answer = await kommo.http.post(FIELDS, json=item, headers=kommo.as_user(sam.id))
    assert (answer.status_code, "244" in answer.json()["detail"]) == (400, True)


async def test_monetary_is_not_in_every_plan(kommo: Kommo) -> None:
    item = [{"name": "Amount", "type": "monetary", "currency": "USD"}]
    assert (await kommo.http.post(FIELDS, json=item)).status_code == 400
    kommo.play(monetary="offered")
    assert (await kommo.http.post(FIELDS, json=item)).status_code == 201


@pytest.mark.parametrize(("sent", "read"), [("12.50", "12.5"), (100, "100"), (0.07, "0.07"), ("-3", "-3")])
async def test_numbers_come_back_as_text(kommo: Kommo, sent: Any, read: str) -> None:
    field = await made(kommo, type="numeric")
    assert await written(kommo, field["id"], {"value": sent}) == [{"value": read}]


async def test_a_list_takes_text_or_id_and_shows_all_three_keys(kommo: Kommo) -> None:
    field = await made(kommo, type="select", enums=[{"value": "Paid", "sort": 1}, {"value": "Open", "sort": 2}])
    paid, opened = field["enums"]
    assert await written(kommo, field["id"], {"value": "Paid"}) == [
        {"value": "Paid", "enum_id": paid["id"], "enum_code": None}
    ]
    assert (await written(kommo, field["id"], {"enum_id": opened["id"]}))[0]["value"] == "Open"
    assert (await written(kommo, field["id"], {"value": "Unknown"}))["code"] == "NotSupportedChoice"
    echoed = {"value": "Paid", "enum_id": paid["id"], "enum_code": None}
    assert (await written(kommo, field["id"], echoed))["code"] == "FieldNotExpected"


async def test_a_date_falls_back_to_midnight_and_a_date_time_stays(kommo: Kommo) -> None:
    day, moment = await made(kommo, type="date"), await made(kommo, type="date_time")
    noon = datetime(2026, 11, 23, 12, 30, tzinfo=ZoneInfo(kommo.account.timezone))
    midnight = noon.replace(hour=0, minute=0)
    assert await written(kommo, day["id"], {"value": int(noon.timestamp())}) == [{"value": int(midnight.timestamp())}]
    both = {"custom_fields_values": [{"field_id": moment["id"], "values": [{"value": noon.isoformat()}]}]}
    await kommo.http.patch(f"/api/v4/leads/{kommo.lead.id}", json=both)
    assert kommo.lead.values[moment["id"]] == [{"value": int(noon.timestamp())}]


async def test_a_plain_date_is_refused(kommo: Kommo) -> None:
    field = await made(kommo, type="date")
    assert (await written(kommo, field["id"], {"value": "2026-11-23"}))["code"] == "InvalidType"


async def test_null_values_clear_and_fields_not_named_stay(kommo: Kommo) -> None:
    first, second = await made(kommo, code="A"), await made(kommo, code="B")
    rows = [{"field_code": code, "values": [{"value": "x"}]} for code in ("A", "B")]
    path = f"/api/v4/leads/{kommo.lead.id}"
    await kommo.http.patch(path, json={"custom_fields_values": rows})
    await kommo.http.patch(path, json={"custom_fields_values": [{"field_id": first["id"], "values": None}]})
    assert list(kommo.lead.values) == [second["id"]]


async def test_a_long_text_is_cut(kommo: Kommo) -> None:
    field = await made(kommo)
    assert len((await written(kommo, field["id"], {"value": "x" * 300}))[0]["value"]) == 255


async def test_options_left_out_are_deleted_and_deals_that_held_one_lose_it(kommo: Kommo) -> None:
    field = await made(kommo, type="select", enums=[{"value": "Paid"}, {"value": "Open"}])
    await written(kommo, field["id"], {"value": "Open"})
    kept = [{"id": field["enums"][0]["id"], "value": "Paid"}, {"value": "New"}]
    answer = await kommo.http.patch(f"{FIELDS}/{field['id']}", json={"type": "select", "enums": kept})
    assert [option["value"] for option in answer.json()["enums"]] == ["Paid", "New"]
    assert (await kommo.read(f"/api/v4/leads/{kommo.lead.id}"))["custom_fields_values"] is None


async def test_a_deleted_field_is_an_unknown_field(kommo: Kommo) -> None:
    field = await made(kommo, code="A")
    kommo.world.person().delete_field("A")
    error = await written(kommo, field["id"], {"value": "x"})
    assert (error["code"], error["path"]) == ("NotSupportedChoice", "custom_fields_values.0.field_id")


async def test_options_come_with_their_fields_type(kommo: Kommo) -> None:
    field = await made(kommo, type="select", enums=[{"value": "Paid"}])
    for more in ({}, {"type": "text"}):
        answer = await kommo.http.patch(f"{FIELDS}/{field['id']}", json={"enums": [{"value": "New"}], **more})
        named = answer.json()["validation-errors"][0]["errors"]
        assert (answer.status_code, [one["path"] for one in named]) == (400, ["type"])
