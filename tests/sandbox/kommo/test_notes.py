"""Notes."""

import pytest

from tests.sandbox.kommo.conftest import Kommo

NOTES = "/api/v4/leads/notes"
PAYMENT = {"note_type": "extended_service_message", "params": {"service": "Payments", "text": "Paid 120.00 EUR"}}


async def test_notes_are_posted_in_a_batch_and_read_by_lead(kommo: Kommo) -> None:
    answer = await kommo.http.post(NOTES, json=[{"entity_id": kommo.lead.id, "request_id": "a", **PAYMENT}])
    told = answer.json()["_embedded"]["notes"][0]
    assert (told["entity_id"], told["request_id"]) == (kommo.lead.id, "a")
    read = (await kommo.read(f"{NOTES}?filter[entity_id][]={kommo.lead.id}"))["_embedded"]["notes"]
    assert [(note["id"], note["params"]["text"]) for note in read] == [(told["id"], "Paid 120.00 EUR")]


async def test_the_same_note_twice_is_two_notes(kommo: Kommo) -> None:
    for _ in range(2):
        await kommo.http.post(f"/api/v4/leads/{kommo.lead.id}/notes", json=[PAYMENT])
    assert len(kommo.account.notes_of(kommo.lead.id)) == 2


async def test_a_note_starts_bots_unless_it_says_not_to(kommo: Kommo) -> None:
    path = f"/api/v4/leads/{kommo.lead.id}/notes"
    await kommo.http.post(path, json=[{**PAYMENT, "is_need_to_trigger_digital_pipeline": False}])
    assert kommo.account.bots_started == 0
    await kommo.http.post(path, json=[PAYMENT])
    assert kommo.account.bots_started == 1


async def test_a_note_type_off_the_list_refuses_the_batch(kommo: Kommo) -> None:
    bad = {"entity_id": kommo.lead.id, "note_type": "invoice_paid", "params": {"text": "x"}}
    answer = await kommo.http.post(NOTES, json=[{"entity_id": kommo.lead.id, **PAYMENT}, bad])
    named = answer.json()["validation-errors"]
    assert [(one["request_id"], one["errors"][0]["path"]) for one in named] == [("1", "note_type")]
    assert kommo.account.notes == {}


async def test_a_note_to_a_deleted_deal_is_code_226(kommo: Kommo) -> None:
    kommo.world.person().delete_lead(kommo.lead.id)
    answer = await kommo.http.post(NOTES, json=[{"entity_id": kommo.lead.id, **PAYMENT}])
    assert (answer.status_code, "226" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("bad", ["deleted", "unknown", "type"])
async def test_a_partial_batch_makes_and_names_the_good_notes(kommo: Kommo, bad: str) -> None:
    kommo.play(batch="partial")
    good, other = list(kommo.account.leads)[:2]
    if bad == "deleted":
        kommo.world.person().delete_lead(other)
    note = {"entity_id": 1 if bad == "unknown" else other, **PAYMENT}
    answer = await kommo.http.post(NOTES, json=[note | ({"note_type": "x"} if bad == "type" else {}),
                                               {"entity_id": good, **PAYMENT}])  # fmt: skip
    assert [(one["entity_id"], one["request_id"]) for one in answer.json()["_embedded"]["notes"]] == [(good, "1")]
    assert [one.entity_id for one in kommo.account.notes.values()] == [good]
    assert (await kommo.http.post(NOTES, json=[{"entity_id": 1, **PAYMENT}])).status_code == 400


async def test_notes_are_ordered_by_update_or_id_and_no_other_name(kommo: Kommo) -> None:
    for text in ("one", "two"):
        kommo.world.person().add_note(kommo.lead.id, text)
    by_id = await kommo.read(f"{NOTES}?order[id]=desc")
    by_creation = await kommo.read(f"{NOTES}?order[created_at]=desc")
    assert [note["params"]["text"] for note in by_id["_embedded"]["notes"]] == ["two", "one"]
    assert [note["params"]["text"] for note in by_creation["_embedded"]["notes"]] == ["one", "two"]
