"""Tasks, links, webhooks, events and waiting bots."""

from typing import Any

from tests.sandbox.kommo.conftest import Kommo

TASKS = "/api/v4/tasks"
HOOKS = "/api/v4/webhooks"


async def posted(kommo: Kommo, path: str, body: Any, status: int = 200) -> Any:
    answer = await kommo.http.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def test_a_task_is_made_listed_and_completed(kommo: Kommo) -> None:
    item = {"text": "Answer the dispute", "complete_till": 1_900_000_000, "entity_id": kommo.lead.id}
    made = await posted(kommo, TASKS, [{**item, "entity_type": "leads", "request_id": "a"}])
    task = made["_embedded"]["tasks"][0]
    open_tasks = f"{TASKS}?filter[is_completed]=0&filter[entity_id][]={kommo.lead.id}"
    assert (await kommo.read(open_tasks))["_embedded"]["tasks"][0]["id"] == task["id"]
    assert (await kommo.read(f"/api/v4/leads/{kommo.lead.id}"))["closest_task_at"] == 1_900_000_000
    done = {"id": task["id"], "is_completed": True, "result": {"text": "Done"}}
    assert (await kommo.http.patch(TASKS, json=[done])).status_code == 200
    assert (await kommo.http.get(open_tasks)).status_code == 204


async def test_a_task_needs_text_and_time(kommo: Kommo) -> None:
    refused = await posted(kommo, TASKS, [{"entity_id": kommo.lead.id}], 400)
    assert [one["path"] for one in refused["validation-errors"][0]["errors"]] == ["text", "complete_till"]


async def test_contacts_are_linked_and_unlinked(kommo: Kommo) -> None:
    path = f"/api/v4/leads/{kommo.lead.id}"
    other = list(kommo.account.contacts)[1]
    tie = [{"to_entity_id": other, "to_entity_type": "contacts", "metadata": {"is_main": True}}]
    await posted(kommo, f"{path}/link", tie)
    assert [contact_id for contact_id, is_main in kommo.lead.contacts.items() if is_main] == [other]
    await posted(kommo, f"{path}/unlink", tie, 204)
    assert (await kommo.read(f"{path}/links"))["_total_items"] == 1


async def test_the_same_destination_is_the_same_webhook(kommo: Kommo) -> None:
    item = {"destination": "https://pay.example.com/hook", "settings": ["update_lead"]}
    first = await posted(kommo, HOOKS, item)
    second = await posted(kommo, HOOKS, {**item, "settings": ["delete_lead"]})
    assert (first["id"], second["settings"]) == (second["id"], ["delete_lead"])
    kommo.play(webhook_settings="object")
    assert (await posted(kommo, HOOKS, item))["settings"] == {"update_lead": 1}
    assert (await kommo.read(HOOKS))["_total_items"] == 1
    assert (await kommo.http.request("DELETE", HOOKS, json=item)).status_code == 204
    assert (await kommo.http.get(HOOKS)).status_code == 204


async def test_the_101st_webhook_and_an_unknown_event_are_refused(kommo: Kommo) -> None:
    for number in range(100):
        await posted(kommo, HOOKS, {"destination": f"https://x.example/{number}", "settings": ["add_lead"]})
    await posted(kommo, HOOKS, {"destination": "https://x.example/more", "settings": ["add_lead"]}, 422)
    await posted(kommo, HOOKS, {"destination": "https://x.example/1", "settings": ["explode_lead"]}, 400)


async def test_events_tell_who_moved_a_deal_from_where_to_where(kommo: Kommo) -> None:
    sam = next(user for user in kommo.account.users.values() if not user.is_admin)
    before, after = kommo.lead.status_id, kommo.account.main_pipeline.statuses[2].id
    kommo.world.person(user_id=sam.id).move_lead(kommo.lead.id, after)
    found = await kommo.read(f"/api/v4/events?filter[type]=lead_status_changed&filter[entity_id]={kommo.lead.id}")
    event = found["_embedded"]["events"][0]
    assert event["created_by"] == sam.id
    assert event["value_before"][0]["lead_status"]["id"] == before
    assert event["value_after"][0]["lead_status"]["id"] == after


async def test_a_merge_is_shown_in_one_of_two_ways(kommo: Kommo) -> None:
    first, second, third = list(kommo.account.leads)[:3]
    kommo.world.person().merge_leads(first, second)
    kommo.play(merge_events="deleted")
    kommo.world.person().merge_leads(first, third)
    shown = [(change.type, change.entity_id) for change in kommo.account.changes[-2:]]
    assert shown == [("entity_merged", first), ("lead_deleted", third)]


async def test_a_copied_deal_may_lose_what_only_programs_write(kommo: Kommo) -> None:
    field = kommo.account.add_field("Status", "text", is_api_only=True)
    kommo.lead.values[field.id] = [{"value": "Paid"}]
    assert field.id in kommo.world.person().copy_lead(kommo.lead.id).values
    kommo.play(copy_keeps_api_only="drops")
    assert field.id not in kommo.world.person().copy_lead(kommo.lead.id).values


async def test_a_full_plan_takes_no_more_deals(kommo: Kommo) -> None:
    kommo.account.lead_cap = len(kommo.account.leads)
    await posted(kommo, "/api/v4/leads", [{"name": "One more"}], 402)
    kommo.play(lead_cap="accepted")
    await posted(kommo, "/api/v4/leads", [{"name": "One more"}])
