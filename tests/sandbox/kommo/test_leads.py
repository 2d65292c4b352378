"""Reading and writing deals."""

from typing import Any

import pytest

from sandbox.kommo.records import LOST, WON
from tests.sandbox.kommo.conftest import Kommo

LEADS = "/api/v4/leads"


async def test_a_deal_shows_budget_stage_and_main_contact(kommo: Kommo) -> None:
    lead = await kommo.read(f"{LEADS}/{kommo.lead.id}?with=contacts")
    assert (lead["price"], lead["status_id"]) == (1200, kommo.account.main_pipeline.first_open.id)
    assert [contact["is_main"] for contact in lead["_embedded"]["contacts"]] == [True]
    assert lead["custom_fields_values"] is None


async def test_an_unknown_deal_is_204_or_404(kommo: Kommo) -> None:
    assert (await kommo.http.get(f"{LEADS}/1")).status_code == 204
    kommo.play(missing_lead="404")
    assert (await kommo.http.get(f"{LEADS}/1")).status_code == 404


async def test_nothing_found_is_204_without_a_body(kommo: Kommo) -> None:
    answer = await kommo.http.get(f"{LEADS}?filter[id][]=1")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_deals_are_found_by_ids(kommo: Kommo) -> None:
    wanted = list(kommo.account.leads)[:2]
    found = await kommo.read(f"{LEADS}?filter[id][]={wanted[0]}&filter[id][]={wanted[1]}")
    assert {lead["id"] for lead in found["_embedded"]["leads"]} == set(wanted)


async def test_an_unknown_filter_is_passed_over(kommo: Kommo) -> None:
    found = await kommo.read(f"{LEADS}?filter[colour]=red")
    assert len(found["_embedded"]["leads"]) == len(kommo.account.leads)


async def test_a_bare_number_in_a_time_filter_finds_nothing(kommo: Kommo) -> None:
    assert (await kommo.http.get(f"{LEADS}?filter[updated_at]={kommo.lead.updated_at}")).status_code == 204
    assert len((await kommo.read(f"{LEADS}?filter[updated_at][from]=1"))["_embedded"]["leads"]) == 5


async def test_a_page_holds_250_at_most_and_names_the_next(kommo: Kommo) -> None:
    for number in range(300):
        kommo.account.add_lead(f"Deal {number}")
    first = await kommo.read(f"{LEADS}?limit=500")
    assert len(first["_embedded"]["leads"]) == 250
    second = await kommo.read(first["_links"]["next"]["href"])
    assert len(second["_embedded"]["leads"]) == 55
    assert "next" not in second["_links"]


async def test_a_salesperson_sees_own_deals_only(kommo: Kommo) -> None:
    sam = next(user for user in kommo.account.users.values() if not user.is_admin)
    found = await kommo.http.get(LEADS, headers=kommo.as_user(sam.id))
    assert [lead["name"] for lead in found.json()["_embedded"]["leads"]] == ["Website for Ana"]


async def test_a_stage_move_is_history_and_starts_bots(kommo: Kommo) -> None:
    paid = kommo.account.main_pipeline.statuses[4]
    item = {"id": kommo.lead.id, "status_id": paid.id, "pipeline_id": kommo.account.main_pipeline.id}
    answer = await kommo.http.patch(LEADS, json=[item])
    assert answer.json()["_embedded"]["leads"][0].keys() == {"id", "updated_at", "_links"}
    assert [move.after for move in kommo.account.moves] == [(kommo.account.main_pipeline.id, paid.id)]
    assert kommo.account.bots_started == 1


async def test_the_same_stage_again_moves_nothing(kommo: Kommo) -> None:
    await kommo.http.patch(f"{LEADS}/{kommo.lead.id}", json={"status_id": kommo.lead.status_id})
    assert (kommo.account.moves, kommo.account.bots_started) == ([], 0)


async def test_won_closes_a_deal(kommo: Kommo) -> None:
    item = {"status_id": WON, "pipeline_id": kommo.lead.pipeline_id}
    await kommo.http.patch(f"{LEADS}/{kommo.lead.id}", json=item)
    assert kommo.lead.closed_at is not None


async def test_any_write_accepts_an_incoming_deal(kommo: Kommo) -> None:
    lead = kommo.incoming
    await kommo.http.patch(f"{LEADS}/{lead.id}", json={"name": "Renamed"})
    assert lead.status_id == kommo.account.main_pipeline.first_open.id
    assert [move.via for move in kommo.account.moves] == ["accepted"]
    assert kommo.account.bots_started == 1


async def test_a_write_may_leave_an_incoming_deal_where_it_stands(kommo: Kommo) -> None:
    kommo.play(incoming_write="stays")
    lead = kommo.incoming
    await kommo.http.patch(f"{LEADS}/{lead.id}", json={"name": "Renamed"})
    assert (lead.name, kommo.account.is_incoming(lead), kommo.account.moves) == ("Renamed", True, [])


async def test_echoing_the_incoming_stage_refuses_the_whole_request(kommo: Kommo) -> None:
    lead = kommo.incoming
    batch = [{"id": kommo.lead.id, "name": "Renamed"}, {"id": lead.id, "status_id": lead.status_id}]
    answer = await kommo.http.patch(LEADS, json=batch)
    named = answer.json()["validation-errors"]
    assert answer.status_code == 400
    assert [(one["request_id"], one["errors"][0]["path"]) for one in named] == [("1", "status_id")]
    assert kommo.lead.name == "Website for Ana"


async def test_a_partial_batch_saves_and_names_the_good_ones(kommo: Kommo) -> None:
    kommo.play(batch="partial")
    answer = await kommo.http.patch(LEADS, json=[{"id": kommo.lead.id, "name": "Renamed"}, {"id": 1, "name": "x"}])
    assert [one["id"] for one in answer.json()["_embedded"]["leads"]] == [kommo.lead.id]
    assert kommo.lead.name == "Renamed"


async def test_a_refusal_comes_in_three_forms(kommo: Kommo) -> None:
    item = {"id": kommo.lead.id, "custom_fields_values": [{"field_id": 5, "values": [{"value": "x"}]}]}
    bodies = []
    for reading in ("validation_errors", "keyed_by_lead", "silent"):
        kommo.play(bad_request=reading)
        bodies.append((await kommo.http.patch(LEADS, json=[item])).json())
    assert bodies[0]["validation-errors"][0]["errors"][0]["path"] == "custom_fields_values.0.field_id"
    assert list(bodies[1]["errors"]) == [str(kommo.lead.id)]
    assert bodies[2].keys() == {"title", "type", "status", "detail"}


async def test_a_loss_reason_is_for_lost_deals_and_the_refusal_names_the_deal(kommo: Kommo) -> None:
    lost = {"id": kommo.lead.id, "loss_reason_id": 3, "status_id": LOST, "pipeline_id": kommo.lead.pipeline_id}
    answer = await kommo.http.patch(LEADS, json=[{"id": kommo.lead.id, "loss_reason_id": 3}])
    assert str(kommo.lead.id) in answer.json()["errors"]
    assert (await kommo.http.patch(LEADS, json=[lost])).status_code == 200


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"price": 12.5}, "price"),
        ({"responsible_user_id": 1}, "responsible_user_id"),
        ({"created_by": 1}, "created_by"),
        ({"status_id": 1}, "status_id"),
        ({"pipeline_id": 1}, "pipeline_id"),
        ({"name": 5}, "name"),
        ({"tags_to_add": "vip"}, "tags_to_add"),
        ({"_embedded": {"contacts": [{"id": 1}]}}, "_embedded.contacts.0.id"),
    ],
)
async def test_a_bad_value_is_named_by_its_path(kommo: Kommo, item: dict[str, Any], path: str) -> None:
    answer = await kommo.http.patch(f"{LEADS}/{kommo.lead.id}", json=item)
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == path


async def test_a_deleted_deal_cannot_be_written(kommo: Kommo) -> None:
    kommo.world.person().delete_lead(kommo.lead.id)
    answer = await kommo.http.patch(LEADS, json=[{"id": kommo.lead.id, "name": "x"}])
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == "id"
    kommo.play(patch_missing="226")
    assert "226" in (await kommo.http.patch(LEADS, json=[{"id": kommo.lead.id, "name": "x"}])).json()["detail"]


async def test_an_empty_write_and_one_of_251_are_refused(kommo: Kommo) -> None:
    assert (await kommo.http.patch(LEADS, json=[])).status_code == 400
    many = [{"id": kommo.lead.id, "name": "x"}] * 251
    assert (await kommo.http.patch(LEADS, json=many)).status_code == 422


@pytest.mark.parametrize(("reading", "made"), [("makes_it", ["ghost"]), ("ignored", [])])
async def test_a_tag_that_nobody_has_is_taken_away_in_either_reading(
    kommo: Kommo, reading: str, made: list[str]
) -> None:
    kommo.world.switches.set("tag_delete_unknown", reading)
    answer = await kommo.http.patch(f"{LEADS}/{kommo.lead.id}", json={"tags_to_delete": [{"name": "ghost"}]})
    assert answer.status_code == 200
    assert [tag.name for tag in kommo.account.loose_tags] == made
    assert kommo.lead.tags == []


async def test_tags_are_added_and_taken_away_by_name(kommo: Kommo) -> None:
    path = f"{LEADS}/{kommo.lead.id}"
    await kommo.http.patch(path, json={"tags_to_add": [{"name": "paid"}, {"name": "vip"}]})
    await kommo.http.patch(path, json={"tags_to_delete": [{"name": "vip"}]})
    await kommo.http.patch(path, json={"_embedded": {"tags": None}})
    assert [tag.name for tag in kommo.lead.tags] == ["paid"]


async def test_a_deal_is_made_by_post_and_told_by_request_id(kommo: Kommo) -> None:
    contact = next(iter(kommo.account.contacts))
    item = {"name": "New", "price": 70, "request_id": "abc", "_embedded": {"contacts": [{"id": contact}]}}
    made = (await kommo.http.post(LEADS, json=[item])).json()["_embedded"]["leads"][0]
    lead = kommo.account.leads[made["id"]]
    assert (made["request_id"], lead.price, lead.contacts) == ("abc", 70, {contact: True})


async def test_complex_answers_a_bare_list(kommo: Kommo) -> None:
    made = (await kommo.http.post(f"{LEADS}/complex", json=[{"name": "New"}])).json()
    assert made[0]["id"] in kommo.account.leads
    assert made[0]["merged"] is False


async def test_merging_takes_notes_along_and_leaves_one_deal(kommo: Kommo) -> None:
    kept, gone = list(kommo.account.leads)[:2]
    kommo.world.person().add_note(gone, "hello")
    kommo.world.person().merge_leads(kept, gone)
    assert [note.text for note in kommo.account.notes_of(kept)] == ["hello"]
    assert (await kommo.http.get(f"{LEADS}/{gone}")).status_code == 204
    removed = await kommo.read(f"{LEADS}?with=only_deleted")
    assert [(one["id"], one["name"]) for one in removed["_embedded"]["leads"]] == [(gone, None)]
