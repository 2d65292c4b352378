"""Shadow mode: everything is recorded as intended, nothing is written, and the report says where deals differ."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from backend.deal_sync.shadow import said
from backend.storage.models import CardWrite
from sandbox.clock import MovableClock
from sandbox.stripe.lives.foreign import Foreign
from tests.accounts.connecting import put
from tests.command_line import typed
from tests.world import World, open_world


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as one:
        yield one


async def _paid(product: World, lead_id: int) -> None:
    await product.pay(await product.link(lead_id))
    await product.quiet()


async def test_a_trial_beside_handwork_from_on_to_off(product: World, tmp_path: Path) -> None:
    assert (await typed(product, tmp_path, "shadow", "on"))[0] == 0
    stage = product.account.leads[lead_id := product.lead("Sofa")].status_id
    await _paid(product, lead_id)
    writes = await product.rows(CardWrite)
    assert {(write.kind, write.state) for write in writes} == {
        (kind, "intended") for kind in ("fields", "note", "stage")
    }
    assert (product.fields(lead_id), product.notes(lead_id)) == ({}, [])
    assert product.account.leads[lead_id].status_id == stage

    code, said = await typed(product, tmp_path, "shadow", "report")
    assert code == 0
    assert f"Deal {lead_id}  Sofa" in said
    assert "would set  STRIPE_PAYMENT_STATUS: - -> Paid" in said
    assert "stage      moves to Paid" in said
    assert "note       The client paid 120.00 USD" in said
    assert "today      STRIPE_AMOUNT_PAID is -, not 120" in said
    assert re.search(r"would set  STRIPE_PAYMENT_DATE: - -> 20\d\d-\d\d-\d\d \d\d:\d\d\n", said)

    await typed(product, tmp_path, "shadow", "off")
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    assert product.deal(lead_id)["status"] == "Paid"
    assert len(product.notes(lead_id)) == 1
    assert {(write.kind, write.state) for write in await product.rows(CardWrite) if write.kind != "fields"} == {
        ("note", "done"),
        ("stage", "done"),
    }
    assert "the fields are as we would write them" in (await typed(product, tmp_path, "shadow", "report"))[1]
    assert (await typed(product, tmp_path, "shadow", "report", "--differing", "--json"))[1] == ""
    assert (await typed(product, tmp_path, "shadow", "report", "--differing"))[1] == "No deal differs today.\n"


async def test_the_report_names_deals_that_are_gone_and_stages_that_stay(product: World, tmp_path: Path) -> None:
    assert "Nothing was recorded" in (await typed(product, tmp_path, "shadow", "report"))[1]
    await typed(product, tmp_path, "shadow", "on")
    won, gone = product.lead("Won", status_id=142), product.lead("Gone")
    for lead_id in (won, gone):
        await _paid(product, lead_id)
    product.kommo.person().delete_lead(gone)
    rows = [json.loads(line) for line in (await typed(product, tmp_path, "shadow", "report", "--json"))[1].splitlines()]
    told = {row["lead_id"]: row for row in rows}
    assert told[won]["stage"] == "stays: the deal is closed"
    assert told[gone]["is_gone"]
    assert not told[won]["is_gone"]


def test_days_are_those_of_the_accounts_calendar() -> None:
    zone, late = ZoneInfo("America/New_York"), 1_800_000_000
    assert said({"type": "date_time"}, late, zone) == "2027-01-15 03:00"
    assert said({"type": "date"}, late, zone) == "2027-01-15"
    assert said({"type": "text"}, "paid", zone) == "Paid"
    assert said({"type": "date_time"}, None, zone) == ""
    assert said({"type": "date"}, "soon", zone) == "soon"


async def test_a_renewal_that_would_get_a_deal_of_its_own_is_said(product: World, tmp_path: Path) -> None:
    lead_id = product.lead("Hosting")
    await product.pay(await product.link(lead_id, mode="subscription", interval="month"))
    await product.until(lambda: product.notes(lead_id))
    await put(product, f"accounts/{product.account.id}/options", {"renewals": "new_deal", "shadow": True})
    subscription = next(product.stripe.default_account.shelves[True].newest("subscription"))
    product.stripe.renew_subscription(subscription["id"])
    await product.quiet()
    said = (await typed(product, tmp_path, "shadow", "report"))[1]
    assert "new deal   for the renewal of 120.00 USD (pi_" in said
    assert max(product.account.leads) == lead_id


async def test_switched_on_amid_a_backlog_what_is_not_under_way_is_not_written(tmp_path: Path) -> None:
    clock, many = MovableClock(), 100
    url = f"sqlite+aiosqlite:///{tmp_path}/product.db"
    async with open_world(url, clock=clock, more={"kommo_rate": 6.9}) as product:
        product.kommo.faults.add("429_json", "/leads", method="GET")
        product.stripe.courier.at_once = 16
        for number in range(many):
            marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(product.lead(f"Deal {number}"))}
            product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
        await product.quiet()
        product.resources.pace.writes.shrink(product.account.id, 20)
        clock.advance(302)
        product.resources.work_arrived.set()
        await product.until(lambda: product.account.notes)
        await put(product, f"accounts/{product.account.id}/options", {"shadow": True})
        await product.quiet()
        written = len(product.account.notes)
        assert 0 < written <= many / 2
        await put(product, f"accounts/{product.account.id}/options", {"shadow": False})
        await product.until(lambda: len(product.account.notes) == many, 20)


async def test_an_account_that_is_not_there_is_named(product: World, tmp_path: Path) -> None:
    code, said = await typed(product, tmp_path, "shadow", "on", "--account", "7")
    assert (code, "No Kommo account 7" in said) == (1, True)
