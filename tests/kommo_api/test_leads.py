"""Deals, read and written over real HTTP."""

from decimal import Decimal

import pytest

from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused, KommoUnavailable
from backend.kommo_api.values import EnumId, FieldValue, LeadChange, NewLead
from sandbox.kommo.records import Option
from tests.kommo_api.conftest import Kommo, change
from tests.kommo_api.fixed_answer import api, saying


async def test_a_lead_is_read_with_its_main_contact(kommo: Kommo) -> None:
    there = kommo.lead
    lead = await kommo.api.lead(there.id)
    assert lead is not None
    assert (lead.id, lead.name, lead.price) == (there.id, "Website for Ana", 1200)
    assert lead.main_contact_id == next(iter(there.contacts))
    assert (lead.pipeline_id, lead.status_id) == (there.pipeline_id, there.status_id)


@pytest.mark.parametrize("reading", ["204", "404"])
async def test_an_unknown_or_deleted_lead_is_none(kommo: Kommo, reading: str) -> None:
    kommo.play(missing_lead=reading)
    gone = kommo.leads[1]
    gone.is_deleted = True
    assert (await kommo.api.lead(1), await kommo.api.lead(gone.id)) == (None, None)


async def test_an_account_that_moved_away_is_not_a_lost_lead() -> None:
    moved = api(saying(404, {"title": "Not Found", "status": 404, "detail": "Account not found"}))
    with pytest.raises(KommoNotFound):
        await moved.lead(7)


async def test_leads_are_those_that_exist(kommo: Kommo) -> None:
    gone, there = kommo.leads[0], kommo.leads[1]
    gone.is_deleted = True
    assert set(await kommo.api.leads([gone.id, there.id, 1])) == {there.id}


async def test_no_lead_at_all_is_an_empty_answer(kommo: Kommo) -> None:
    assert await kommo.api.leads([1, 2]) == {}


async def test_many_leads_are_read_250_a_call(kommo: Kommo) -> None:
    ids = [kommo.account.add_lead(f"Deal {number}", number).id for number in range(501)]
    before = kommo.asked("GET")
    assert set(await kommo.api.leads(ids)) == set(ids)
    assert kommo.asked("GET") - before == 3


async def test_the_address_of_250_ids_fits_into_8_kb() -> None:
    def measured(request: object) -> object:
        assert len(bytes(request.url.raw_path)) < 6_500  # type: ignore[attr-defined]
        return saying(204)(request)  # type: ignore[arg-type]

    ids = range(999_999_000, 999_999_250)
    assert await api(measured).leads(list(ids), contacts=True) == {}  # type: ignore[arg-type]


async def test_leads_that_were_not_asked_for_are_ignored() -> None:
    everything = {"_embedded": {"leads": [{"id": 5, "pipeline_id": 1, "status_id": 2}]}}
    with pytest.raises(KommoUnavailable):
        await api(saying(200, everything)).leads([6])


async def test_a_price_may_have_decimals(kommo: Kommo) -> None:
    kommo.play(price_with_minor_units="present")
    kommo.lead.price = 200.75
    assert (await kommo.api.leads([kommo.lead.id]))[kommo.lead.id].price == Decimal("200.75")


async def test_fields_are_written_and_read_back(kommo: Kommo) -> None:
    amount, status = kommo.account.add_field("Amount", "numeric"), kommo.account.add_field("State", "select")
    status.enums = [Option(71, "Paid", 1)]
    confirmed = await kommo.api.patch_leads([change(kommo.lead.id, {amount.id: "12.50", status.id: EnumId(71)})])
    lead = (await kommo.api.leads([kommo.lead.id]))[kommo.lead.id]
    assert confirmed == {kommo.lead.id}
    assert lead.fields == {amount.id: (FieldValue("12.5"),), status.id: (FieldValue("Paid", 71),)}


async def test_none_clears_a_field_and_others_stay(kommo: Kommo) -> None:
    one, other = kommo.account.add_field("One", "text"), kommo.account.add_field("Other", "text")
    await kommo.api.patch_leads([change(kommo.lead.id, {one.id: "a", other.id: "b"})])
    await kommo.api.patch_leads([change(kommo.lead.id, {one.id: None})])
    assert set((await kommo.api.leads([kommo.lead.id]))[kommo.lead.id].fields) == {other.id}


async def test_a_stage_is_moved_with_its_pipeline(kommo: Kommo) -> None:
    place = (kommo.lead.pipeline_id, 142)
    await kommo.api.patch_leads([change(kommo.lead.id, place=place)])
    assert (kommo.lead.pipeline_id, kommo.lead.status_id) == place


def test_a_stage_without_its_pipeline_can_not_be_asked_for() -> None:
    with pytest.raises(ValueError, match="needs its pipeline"):
        LeadChange(7, {}, None, 142, "r")


@pytest.mark.parametrize("number", [0, 251])
async def test_a_write_is_of_1_to_250_leads(kommo: Kommo, number: int) -> None:
    with pytest.raises(ValueError, match="1 to 250"):
        await kommo.api.patch_leads([change(1)] * number)
    assert kommo.asked("PATCH") == 0


async def test_a_refused_batch_names_the_lead_by_our_request_id(kommo: Kommo) -> None:
    text = kommo.account.add_field("Text", "text")
    good, bad = change(kommo.lead.id, {text.id: "x"}), change(kommo.leads[1].id, {1: "x"})
    with pytest.raises(KommoRefused) as caught:
        await kommo.api.patch_leads([good, bad])
    assert (set(caught.value.by_request), caught.value.paths) == ({bad.request_id}, {"custom_fields_values.0.field_id"})


async def test_where_kommo_saves_the_good_ones_only_they_are_confirmed(kommo: Kommo) -> None:
    kommo.play(batch="partial")
    text = kommo.account.add_field("Text", "text")
    good, bad = change(kommo.lead.id, {text.id: "x"}), change(kommo.leads[1].id, {1: "x"})
    assert await kommo.api.patch_leads([good, bad]) == {kommo.lead.id}


@pytest.mark.parametrize("reading", ["403", "400_244"])
async def test_a_right_that_is_missing_is_said_so(kommo: Kommo, reading: str) -> None:
    kommo.play(no_right=reading)
    sales = next(user for user in kommo.account.users.values() if not user.is_admin)
    sales.leads.edit = "D"
    with pytest.raises(KommoForbidden):
        await kommo.api_of(sales.id).patch_leads([change(kommo.lead.id, place=(kommo.lead.pipeline_id, 142))])


async def test_a_lead_is_made_with_its_contact(kommo: Kommo) -> None:
    contact_id = next(iter(kommo.lead.contacts))
    new = NewLead("Renewal", kommo.lead.pipeline_id, kommo.lead.status_id, price=90, contact_id=contact_id)
    made = await kommo.api.lead(await kommo.api.create_lead(new))
    assert made is not None
    assert (made.name, made.price, made.main_contact_id) == ("Renewal", 90, contact_id)


async def test_tags_are_read_by_name(kommo: Kommo) -> None:
    await kommo.http.patch(
        f"{kommo.base_url}/api/v4/leads/{kommo.lead.id}",
        json={"tags_to_add": [{"name": "stripe-test"}]},
        headers={"Authorization": f"Bearer {kommo.world.long_lived_token(kommo.integration.client_id)}"},
    )
    assert (await kommo.api.leads([kommo.lead.id]))[kommo.lead.id].tags == ("stripe-test",)
