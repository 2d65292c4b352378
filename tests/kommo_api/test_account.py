"""The account, its people, its pipelines, its tasks."""

import pytest

from backend.kommo_api.errors import KommoForbidden, KommoUnauthorized
from backend.kommo_api.values import INCOMING, LOST, WON, Contact
from tests.kommo_api.conftest import Kommo
from tests.kommo_api.fixed_answer import api, saying


async def test_the_account_tells_currency_zone_and_whose_token_it_is(kommo: Kommo) -> None:
    info = await kommo.api.account()
    assert (info.id, info.subdomain, info.currency) == (kommo.account.id, "acme", "USD")
    assert (info.timezone, info.current_user_id) == ("America/New_York", kommo.account.admin.id)


async def test_a_dead_token_is_unauthorized(kommo: Kommo) -> None:
    client = kommo.api
    kommo.world.clock.advance(86_401)  # type: ignore[attr-defined]
    with pytest.raises(KommoUnauthorized):
        await client.account()


async def test_a_users_rights_are_letters(kommo: Kommo) -> None:
    sales = next(one for one in kommo.account.users.values() if not one.is_admin)
    sales.leads.view, sales.group_id, sales.lang = "G", 12, "es"
    user = await kommo.api.user(sales.id)
    assert user is not None
    assert (user.leads_view, user.group_id, user.lang, user.is_admin) == ("G", 12, "es", False)


async def test_a_right_that_is_not_told_is_the_users_own_deals() -> None:
    user = await api(saying(200, {"id": "5", "rights": {"is_active": "1"}})).user(5)
    assert user is not None
    assert (user.id, user.leads_view, user.is_active, user.is_admin) == (5, "M", True, False)


async def test_stage_rights_are_read_and_doubtful_ones_deny() -> None:
    def stage(status: int, view: object, entity: str = "leads") -> dict[str, object]:
        return {"entity_type": entity, "pipeline_id": "1", "status_id": status, "rights": {"view": view}}

    rows = [stage(1, "A"), stage(2, "D"), stage(3, "?"), stage(4, None), stage(5, "D", "customers")]
    user = await api(saying(200, {"id": 5, "rights": {"status_rights": [*rows, stage(6, "A"), stage(6, "D")]}})).user(5)
    assert user is not None
    assert user.stage_view == {(1, 1): "A", (1, 2): "D", (1, 3): "D", (1, 6): "D"}


@pytest.mark.parametrize("nothing", [None, [], {}])
async def test_no_stage_rights_come_as_null_or_empty(nothing: object) -> None:
    user = await api(saying(200, {"id": 5, "rights": {"status_rights": nothing, "group_id": None}})).user(5)
    assert user is not None
    assert (user.stage_view, user.group_id) == ({}, 0)


async def test_an_unknown_user_is_none(kommo: Kommo) -> None:
    assert await kommo.api.user(1) is None


async def test_users_are_for_admins(kommo: Kommo) -> None:
    sales = next(one for one in kommo.account.users.values() if not one.is_admin)
    assert {user.id for user in await kommo.api.users()} == set(kommo.account.users)
    with pytest.raises(KommoForbidden):
        await kommo.api_of(sales.id).users()


async def test_more_users_than_a_page_holds_are_all_read(kommo: Kommo) -> None:
    for number in range(260):
        kommo.account.add_user(f"User {number}", f"u{number}@acme.example")
    assert len(await kommo.api.users()) == len(kommo.account.users) > 250


async def test_a_list_that_ignores_pages_is_read_once() -> None:
    for_ever = {"_embedded": {"users": [{"id": 1}]}, "_links": {"next": {"href": "https://acme.kommo.com/x"}}}
    assert len(await api(saying(200, for_ever)).users()) == 1


async def test_pipelines_have_won_and_lost_last(kommo: Kommo) -> None:
    kommo.account.main_pipeline.is_archive = True
    sales, renewals = await kommo.api.pipelines()
    assert [sales.name, sales.is_main, sales.is_archive, renewals.is_archive] == ["Sales", True, True, False]
    assert [status.id for status in sales.statuses][-2:] == [WON, LOST]
    assert sales.statuses[0].type == INCOMING


async def test_won_and_lost_are_last_whatever_their_sort() -> None:
    statuses = [{"id": LOST, "sort": 1}, {"id": WON, "sort": 0}, {"id": 9, "sort": 20}, {"id": 8, "sort": "30"}]
    answer = {"_embedded": {"pipelines": [{"id": 3, "_embedded": {"statuses": statuses}}]}}
    pipeline = (await api(saying(200, answer)).pipelines())[0]
    assert [status.id for status in pipeline.statuses] == [9, 8, WON, LOST]


async def test_a_contact_has_its_first_mail_and_phone(kommo: Kommo) -> None:
    contact_id = next(iter(kommo.lead.contacts))
    assert await kommo.api.contact(contact_id) == Contact(contact_id, "Ana López", "ana@client.example", "+14155550101")


async def test_the_first_of_two_addresses_counts() -> None:
    addresses = {"field_code": "EMAIL", "values": [{"value": "a@x.example"}, {"value": "b@x.example"}]}
    contact = await api(saying(200, {"id": 1, "name": "A", "custom_fields_values": [addresses]})).contact(1)
    assert contact == Contact(1, "A", "a@x.example", None)


async def test_an_unknown_contact_is_none(kommo: Kommo) -> None:
    assert await kommo.api.contact(1) is None


async def test_a_task_is_made_and_closed(kommo: Kommo) -> None:
    task_id = await kommo.api.create_task(kommo.lead.id, "Answer the dispute", 1_900_000_000.7, None, "t1")
    task = kommo.account.tasks[task_id]
    assert (task.text, task.complete_till, task.entity_id) == ("Answer the dispute", 1_900_000_000, kommo.lead.id)
    await kommo.api.close_task(task_id, "Won")
    assert (task.is_completed, task.result) == (True, {"text": "Won"})
