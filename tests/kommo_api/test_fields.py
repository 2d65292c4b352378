"""Our nine deal fields: made once in the account's language, found again by code and id whatever they are called."""

import httpx
import pytest

from backend.core.i18n import LANGUAGES
from backend.kommo_api.client import KommoApi
from backend.kommo_api.deal_fields import DEAL_FIELDS, GROUP, STATES, FieldMap, is_named, names_in
from backend.kommo_api.errors import KommoConnectionError, KommoRefused
from backend.kommo_api.fields import FieldSetup, FieldsNeedAdmin, ensure_fields
from backend.kommo_api.values import EnumId
from sandbox.kommo.records import Field, Option
from tests.kommo_api.conftest import Kommo, at_once, change
from tests.kommo_api.fixed_answer import problem

CODES = [field.code for field in DEAL_FIELDS]
STATUS = "STRIPE_PAYMENT_STATUS"
TAB = names_in("en").say(GROUP)


def ours(kommo: Kommo) -> list[Field]:
    return [field for field in kommo.account.custom_fields.values() if field.entity == "leads"]


def ids(fields: FieldMap) -> dict[str, int]:
    return {code: entry["id"] for code, entry in fields.items()}


async def ensured(kommo: Kommo, known: FieldMap | None = None, language: str = "en") -> FieldSetup:
    return await ensure_fields(kommo.api, known or {}, language)


async def test_a_new_account_gets_all_nine_in_a_tab_of_their_own(kommo: Kommo) -> None:
    setup = await ensured(kommo)
    assert (list(setup.fields), list(setup.made)) == (CODES, CODES)
    assert {kommo.account.groups[field.group_id or ""].name for field in ours(kommo)} == {TAB}
    assert all(field.is_api_only for field in ours(kommo))


async def test_fields_whose_code_kommo_refuses_are_made_without_it_and_found_by_name(kommo: Kommo) -> None:
    kommo.world.switches.set("field_code", "refused")
    setup, again = await ensured(kommo), await ensured(kommo)
    assert (list(setup.made), setup.refused, again.made) == (CODES, {}, ())
    assert ids(again.fields) == ids(setup.fields)
    assert all(field.code is None for field in ours(kommo))


async def test_the_states_can_be_written_by_their_options(kommo: Kommo) -> None:
    status = (await ensured(kommo)).fields[STATUS]
    assert list(status["enums"]) == list(STATES)
    await kommo.api.patch_leads([change(kommo.lead.id, {status["id"]: EnumId(status["enums"]["partially_paid"])})])
    lead = (await kommo.api.leads([kommo.lead.id]))[kommo.lead.id]
    assert lead.fields[status["id"]][0].value == "Partially paid"


async def test_a_second_time_makes_nothing_and_asks_once(kommo: Kommo) -> None:
    first = await ensured(kommo)
    before = len(kommo.world.requests)
    second = await ensured(kommo, first.fields)
    assert (second.fields, second.made) == (first.fields, ())
    assert len(kommo.world.requests) - before == 1


async def test_fields_are_found_by_code_without_knowing_their_ids(kommo: Kommo) -> None:
    first = await ensured(kommo)
    for field in ours(kommo):
        field.name = f"Renamed {field.id}"
    assert (await ensured(kommo)).fields == first.fields


@pytest.mark.parametrize("shape", ["validation_errors", "keyed_by_lead", "silent"])
async def test_where_api_only_is_refused_plain_fields_are_made(kommo: Kommo, shape: str) -> None:
    kommo.play(api_only_fields="refused", bad_request=shape)
    setup = await ensured(kommo)
    assert list(setup.made) == CODES
    assert {kommo.account.groups[field.group_id or ""].name for field in ours(kommo)} == {TAB}


async def test_a_removed_field_is_made_again(kommo: Kommo) -> None:
    first = await ensured(kommo)
    kommo.account.delete_field(first.fields["STRIPE_CURRENCY"]["id"])
    second = await ensured(kommo, first.fields)
    assert second.made == ("STRIPE_CURRENCY",)
    assert [group.name for group in kommo.account.groups.values()].count(TAB) == 1


@pytest.mark.parametrize("language", LANGUAGES)
async def test_fields_group_and_options_are_made_in_the_language_of_the_account(kommo: Kommo, language: str) -> None:
    setup, names = await ensured(kommo, language=language), names_in(language)
    there = {field.code: field for field in ours(kommo)}
    assert {code: field.name for code, field in there.items()} == {code: names.say(code) for code in CODES}
    assert {kommo.account.groups[field.group_id or ""].name for field in ours(kommo)} == {names.say(GROUP)}
    labels = {option.id: option.value for option in there[STATUS].enums}
    enums = setup.fields[STATUS]["enums"]
    assert {state: labels[enums[state]] for state in STATES} == {state: names.say(state) for state in STATES}


async def test_whatever_people_rename_and_whoever_connects_again_nothing_is_made_twice(kommo: Kommo) -> None:
    first = await ensured(kommo, language="pt")
    for field in ours(kommo):
        field.name = "Currency"
    for group in kommo.account.groups.values():
        group.name = "Currency"
    status = kommo.account.custom_fields[first.fields[STATUS]["id"]]
    for option in status.enums:
        option.value = "Paid"
    second = await ensured(kommo, first.fields, language="ru")
    assert (second.fields, second.made, second.completed) == (first.fields, (), ())
    kommo.account.delete_field(first.fields["STRIPE_CURRENCY"]["id"])
    third = await ensured(kommo, first.fields, language="pt")
    again = kommo.account.custom_fields[third.fields["STRIPE_CURRENCY"]["id"]]
    assert (third.made, again.name, again.group_id) == (("STRIPE_CURRENCY",), "Moeda", status.group_id)


async def test_a_field_of_somebody_else_is_left_alone_whatever_it_is_called(kommo: Kommo) -> None:
    own = [kommo.account.add_field("Payment date", "date"), kommo.account.add_field("Currency", "text")]
    setup = await ensured(kommo)
    assert list(setup.made) == CODES
    assert not {field.id for field in own} & set(ids(setup.fields).values())


async def test_a_field_that_is_known_by_its_id_stays_ours_under_any_name(kommo: Kommo) -> None:
    """An account of before, in which a person's field was taken for ours."""
    amount = kommo.account.add_field("Money", "monetary")
    known: FieldMap = {"STRIPE_AMOUNT_PAID": {"id": amount.id, "type": "monetary", "enums": {}}}
    setup = await ensured(kommo, known)
    assert ids(setup.fields)["STRIPE_AMOUNT_PAID"] == amount.id
    assert set(setup.made) == set(CODES) - {"STRIPE_AMOUNT_PAID"}


@pytest.mark.parametrize("omitted", ["deleted", "kept"])
async def test_a_list_of_before_keeps_its_options_and_gets_ours(kommo: Kommo, omitted: str) -> None:
    kommo.play(omitted_options=omitted)
    status = kommo.account.add_field("Payment status", "select")
    status.enums = [Option(501, "On hold", 1), Option(502, "paid", 2)]
    setup = await ensured(kommo, {STATUS: {"id": status.id, "type": "select", "enums": {}}})
    assert setup.completed == (STATUS,)
    assert [(option.id, option.value) for option in status.enums[:2]] == [(501, "On hold"), (502, "paid")]
    assert setup.fields[STATUS]["enums"]["paid"] == 502
    assert set(setup.fields[STATUS]["enums"]) == set(STATES)


async def test_an_option_renamed_to_the_label_of_a_deleted_one_stays_what_it_was(kommo: Kommo) -> None:
    first = await ensured(kommo)
    status = kommo.account.custom_fields[first.fields[STATUS]["id"]]
    paid = next(option for option in status.enums if option.value == "Paid")
    status.enums = [option for option in status.enums if option.value != "Pending"]
    paid.value = "Pending"
    second = await ensured(kommo, first.fields)
    assert second.fields[STATUS]["enums"]["paid"] == paid.id
    assert second.fields[STATUS]["enums"]["pending"] == status.enums[-1].id != paid.id


def test_no_label_means_two_things_in_two_languages() -> None:
    keys = [GROUP, *CODES, *STATES]
    for language in LANGUAGES:
        for key in keys:
            name = names_in(language).say(key)
            assert [other for other in keys if is_named(other, name)] == [key]


@pytest.mark.parametrize("omitted", ["deleted", "kept"])
async def test_an_older_list_gets_the_new_state_and_keeps_what_a_person_renamed(kommo: Kommo, omitted: str) -> None:
    kommo.play(omitted_options=omitted)
    first = await ensured(kommo)
    status = kommo.account.custom_fields[first.fields[STATUS]["id"]]
    status.enums = [one for one in status.enums if one.value != "Cancelled"]
    del first.fields[STATUS]["enums"]["cancelled"]
    status.enums[2].value = "Bezahlt"
    second = await ensured(kommo, first.fields)
    assert [one.value for one in status.enums[2:3] + status.enums[-1:]] == ["Bezahlt", "Cancelled"]
    assert second.completed == (STATUS,)
    assert second.fields[STATUS]["enums"] == first.fields[STATUS]["enums"] | {"cancelled": status.enums[-1].id}


async def test_a_renamed_option_is_written_and_not_made_again(kommo: Kommo) -> None:
    first = await ensured(kommo)
    status = kommo.account.custom_fields[first.fields[STATUS]["id"]]
    for option in status.enums:
        option.value = f"Own word {option.id}"
    second = await ensured(kommo, first.fields)
    assert (second.fields, second.completed, len(status.enums)) == (first.fields, (), len(STATES))


async def test_an_option_that_was_deleted_is_made_again(kommo: Kommo) -> None:
    first = await ensured(kommo)
    status = kommo.account.custom_fields[first.fields[STATUS]["id"]]
    del status.enums[2]
    second = await ensured(kommo, first.fields)
    assert (second.completed, status.enums[-1].value) == ((STATUS,), "Paid")
    assert second.fields[STATUS]["enums"]["paid"] == status.enums[-1].id


async def test_an_account_whose_list_may_not_be_changed_goes_on_without_the_new_state(kommo: Kommo) -> None:
    first = await ensured(kommo)
    status = kommo.account.custom_fields[first.fields[STATUS]["id"]]
    status.enums = [one for one in status.enums if one.value != "Cancelled"]
    sales = next(user for user in kommo.account.users.values() if not user.is_admin)
    setup = await ensure_fields(kommo.api_of(sales.id), first.fields)
    assert set(STATES) - set(setup.fields[STATUS]["enums"]) == {"cancelled"}
    assert (list(setup.refused), "Cancelled" in setup.refused[STATUS]) == ([STATUS], True)


async def test_a_code_that_belongs_to_a_field_of_another_type_is_left_alone(kommo: Kommo) -> None:
    kommo.account.add_field("Something", "checkbox", code="STRIPE_CURRENCY")
    first = await ensured(kommo)
    assert first.fields["STRIPE_CURRENCY"]["type"] == "text"
    assert (await ensured(kommo, first.fields)).made == ()


async def test_two_processes_at_once_make_nothing_twice(kommo: Kommo) -> None:
    """The second one looks before the first has made the fields, and finds the codes taken afterwards."""
    first: list[FieldSetup] = []

    async def be_overtaken(answer: httpx.Response) -> None:
        if not first:
            await answer.aread()
            first.append(await ensured(kommo))

    token = kommo.world.issue_pair(kommo.integration.client_id, kommo.account.admin.id).access
    async with httpx.AsyncClient(event_hooks={"response": [be_overtaken]}) as http:
        second = await ensure_fields(KommoApi(http, kommo.base_url, token, at_once), {})
    assert (second.fields, len(ours(kommo))) == (first[0].fields, len(CODES))


class Refusing(httpx.AsyncHTTPTransport):
    """Kommo, but what holds ``word`` is never made."""

    def __init__(self, path: str, word: bytes) -> None:
        super().__init__()
        self._path, self._word = path, word

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        refused = request.method == "POST" and request.url.path.endswith(self._path) and self._word in request.content
        if refused:
            return httpx.Response(400, json=problem(400, "Request validation failed"))
        return await super().handle_async_request(request)


async def ensured_through(kommo: Kommo, transport: httpx.AsyncBaseTransport) -> FieldSetup:
    token = kommo.world.issue_pair(kommo.integration.client_id, kommo.account.admin.id).access
    async with httpx.AsyncClient(transport=transport) as http:
        return await ensure_fields(KommoApi(http, kommo.base_url, token, at_once), {})


async def test_one_field_that_an_account_can_not_have_does_not_cost_the_others(kommo: Kommo) -> None:
    setup = await ensured_through(kommo, Refusing("/custom_fields", b'"url"'))
    assert set(setup.refused) == set(CODES) - set(setup.fields) == {"STRIPE_PAYMENT_LINK"}


async def test_without_a_tab_the_fields_are_made_in_the_main_one(kommo: Kommo) -> None:
    setup = await ensured_through(kommo, Refusing("/groups", b"name"))
    assert (list(setup.made), {field.group_id for field in ours(kommo)}) == (CODES, {None})


async def test_an_account_that_lets_nothing_be_made_is_an_error(kommo: Kommo) -> None:
    with pytest.raises(KommoRefused):
        await ensured_through(kommo, Refusing("/custom_fields", b"name"))


@pytest.mark.parametrize("reading", ["403", "400_244"])
async def test_only_an_admin_can_have_them_made(kommo: Kommo, reading: str) -> None:
    kommo.play(no_right=reading)
    sales = next(user for user in kommo.account.users.values() if not user.is_admin)
    with pytest.raises(FieldsNeedAdmin, match="connect again as an administrator"):
        await ensure_fields(kommo.api_of(sales.id), {})


async def test_everybody_can_find_them(kommo: Kommo) -> None:
    first = await ensured(kommo)
    sales = next(user for user in kommo.account.users.values() if not user.is_admin)
    assert (await ensure_fields(kommo.api_of(sales.id), {})).fields == first.fields


async def test_after_a_lost_answer_nothing_is_made_twice(kommo: Kommo) -> None:
    kommo.world.faults.add("drop_after", "custom_fields$", method="POST")
    with pytest.raises(KommoConnectionError):
        await ensured(kommo)
    assert len((await ensured(kommo)).fields) == len(ours(kommo)) == 9
