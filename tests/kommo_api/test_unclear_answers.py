"""Answers that are about something else, or cannot be read, are no answers."""

from collections.abc import Awaitable, Callable

import pytest

from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoUnavailable
from backend.kommo_api.values import NewField
from tests.kommo_api.fixed_answer import api, saying

ANOTHER = {"id": 8, "name": "Another", "pipeline_id": 1, "status_id": 2, "entity_id": 1}
NESTED = "[" * 100_000
CALLS: dict[str, Callable[[KommoApi], Awaitable[object]]] = {
    "deal": lambda kommo: kommo.lead(7),
    "user": lambda kommo: kommo.user(7),
    "contact": lambda kommo: kommo.contact(7),
    "task": lambda kommo: kommo.close_task(7, "Paid"),
}


LISTS: dict[str, Callable[[KommoApi], Awaitable[object]]] = {
    "deals": lambda kommo: kommo.leads([7]),
    "search": lambda kommo: kommo.search("x"),
    "notes": lambda kommo: kommo.notes_of([7]),
    "tasks": lambda kommo: kommo.tasks_of([7]),
    "users": lambda kommo: kommo.users(),
    "fields": lambda kommo: kommo.custom_fields(),
    "groups": lambda kommo: kommo.groups(),
    "pipelines": lambda kommo: kommo.pipelines(),
    "deals of a contact": lambda kommo: kommo.deals_of_contact(7),
    "merges": lambda kommo: kommo.merges(),
    "stage changes": lambda kommo: kommo.stage_changes([7]),
    "bots": lambda kommo: kommo.chats.bots(),
    "talks": lambda kommo: kommo.chats.talks_of(7),
    "messages": lambda kommo: kommo.chats.messages_of(7, 0.0),
}


@pytest.mark.parametrize("call", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("body", [{}, {"_embedded": {}}, {"_links": {}}], ids=["{}", "no rows", "no list"])
async def test_an_answer_without_its_list_is_no_empty_list(
    call: Callable[[KommoApi], Awaitable[object]], body: dict[str, object]
) -> None:
    with pytest.raises(KommoUnavailable):
        await call(api(saying(200, body)))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_answer_about_another_object_is_none(call: Callable[[KommoApi], Awaitable[object]]) -> None:
    with pytest.raises(KommoUnavailable):
        await call(api(saying(200, ANOTHER)))


@pytest.mark.parametrize("body", [{"is_deleted": True}, ANOTHER | {"is_deleted": True}], ids=["no id", "another id"])
async def test_a_deal_is_deleted_only_by_an_answer_about_it(body: dict[str, object]) -> None:
    with pytest.raises(KommoUnavailable):
        await api(saying(200, body)).lead(7)


async def test_an_answer_that_is_nested_without_end_can_not_be_read() -> None:
    with pytest.raises(KommoUnavailable):
        await api(saying(200, NESTED)).leads([7])


@pytest.mark.parametrize("rows", [[None], ["7"], [[]]])
async def test_rows_that_are_no_objects_are_not_taken_for_an_empty_list(rows: list[object]) -> None:
    with pytest.raises(KommoUnavailable):
        await api(saying(200, {"_embedded": {"notes": rows}})).notes_of([7])


@pytest.mark.parametrize("status", [200, 204])
async def test_an_account_without_pipelines_is_no_answer(status: int) -> None:
    with pytest.raises(KommoUnavailable):
        await api(saying(status, {"_embedded": {"pipelines": []}} if status == 200 else None)).pipelines()


@pytest.mark.parametrize("status", [200, 204])
async def test_a_message_without_an_id_may_have_been_sent(status: int) -> None:
    with pytest.raises(KommoUnavailable) as caught:
        await api(saying(status, {} if status == 200 else None)).chats.send_message(7, "Hello")
    assert caught.value.doubtful


async def test_an_account_without_a_currency_is_no_answer() -> None:
    with pytest.raises(KommoUnavailable):
        await api(saying(200, {"id": 7, "name": "Acme", "subdomain": "acme"})).account()


async def test_new_fields_that_an_answer_leaves_out_may_have_been_made() -> None:
    with pytest.raises(KommoUnavailable) as caught:
        await api(saying(200, {"_embedded": {"custom_fields": []}})).create_fields([NewField("Paid", "text")])
    assert caught.value.doubtful


async def test_a_sign_in_page_does_not_say_that_a_bot_went_on() -> None:
    with pytest.raises(KommoUnavailable) as caught:
        await api(saying(200, "<html>Sign in</html>")).continue_bot("/api/v4/salesbot/1/continue/2", {})
    assert caught.value.doubtful
