"""One bad deal among many, in each way that Kommo may say so: the others are written, and it is not hammered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from backend.accounts.provisioning import look_again
from backend.storage.models import Account, Deal
from sandbox.clock import MovableClock
from sandbox.kommo.records import LOST, Lead
from sandbox.stripe.lives.foreign import Foreign
from tests.world import World, open_world

DEALS = 20
PATIENCE_SECONDS = 300
"""That Kommo asks for, so that all wait until all are there."""
READINGS = ("validation_errors", "keyed_by_lead", "silent")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock, more={"settle_seconds": 1}) as one:
        yield one


def _calls(product: World, since: int, method: str) -> list[Any]:
    return [
        one for one in product.kommo.requests[since:] if one.method == method and one.path.startswith("/api/v4/leads")
    ]


async def _paid_while(product: World, act: Callable[[list[int]], object], **given: Any) -> list[int]:
    """All are paid, were read, and are about to be written by one call: then somebody acts."""
    clock = product.resources.clock
    assert isinstance(clock, MovableClock)
    leads = [product.lead(f"Deal {number}", **given) for number in range(DEALS)]
    product.kommo.faults.add("429_json", "/leads", method="GET")
    for lead_id in leads:
        marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
        product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
    await product.quiet()
    assert len(await product.rows(Deal)) == DEALS
    clock.advance(PATIENCE_SECONDS + 2)
    product.kommo.faults.add("delay", "/leads$", method="PATCH", seconds=0.4)
    since = len(product.kommo.requests)
    product.resources.work_arrived.set()
    await product.until(lambda: _calls(product, since, "PATCH"))
    act(leads)
    return leads


def _is_paid(product: World, lead_id: int) -> bool:
    return product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid" and len(product.notes(lead_id)) == 1


async def _all_paid(product: World, leads: list[int]) -> None:
    await product.until(lambda: all(_is_paid(product, lead_id) for lead_id in leads), 30)
    await product.quiet()
    assert all(_is_paid(product, lead_id) for lead_id in leads)


async def _until_gone(product: World, lead_id: int) -> None:
    for _ in range(100):
        if any(deal.lead_id == lead_id and deal.state == "gone" for deal in await product.rows(Deal)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the deal is still looked for")


@pytest.mark.parametrize(
    "reading", [READINGS[0], *(pytest.param(one, marks=pytest.mark.full) for one in (*READINGS[1:], "226", "partial"))]
)
async def test_a_deal_deleted_between_reading_and_writing(product: World, clock: MovableClock, reading: str) -> None:
    switch = {"226": "patch_missing", "partial": "batch"}.get(reading, "bad_request")
    product.kommo.switches.set(switch, reading)
    since = len(product.kommo.requests)
    leads = await _paid_while(product, lambda leads: product.kommo.person().delete_lead(leads[7]))
    await _all_paid(product, [lead_id for lead_id in leads if lead_id != leads[7]])
    if reading in ("keyed_by_lead", "silent"):  # these do not say that it is the deal: it is looked for again
        clock.advance(3)
    await _until_gone(product, leads[7])
    writes = len(_calls(product, since, "PATCH"))
    clock.advance(3600)
    product.resources.work_arrived.set()
    await product.quiet()
    assert len(_calls(product, since, "PATCH")) == writes
    unmatched = await product.http.get(f"{product.url}/admin/api/unmatched", headers=product.admin)
    assert [row["lead_id"] for row in unmatched.json()] == [leads[7]]


async def test_a_move_by_a_person_during_a_refused_batch_is_respected(product: World) -> None:
    def act(leads: list[int]) -> None:
        product.kommo.person().delete_lead(leads[7])
        product.kommo.person().move_lead(leads[3], LOST)

    leads = await _paid_while(product, act)
    await _all_paid(product, [lead_id for lead_id in leads if lead_id != leads[7]])
    assert [product.deal(lead_id)["moves"][-1]["via"] for lead_id in (leads[2], leads[3])] == ["api", "person"]
    assert product.account.leads[leads[3]].status_id == LOST


@pytest.mark.parametrize("reading", [pytest.param(READINGS[0], marks=pytest.mark.full), *READINGS[1:]])
async def test_a_field_and_an_option_deleted_between_reading_and_writing(product: World, reading: str) -> None:
    """What is left of our fields is looked up once; all are written without what is gone, until it is made again."""
    product.kommo.switches.set("bad_request", reading)
    since = len(product.kommo.requests)

    def act(_: list[int]) -> None:
        product.kommo.person().delete_field("STRIPE_PAYMENTS")
        product.kommo.person().delete_option("STRIPE_PAYMENT_STATUS", "Refunded")

    leads = await _paid_while(product, act)
    await _all_paid(product, leads)
    sent = Counter(item["id"] for call in _calls(product, since, "PATCH") for item in call.body)
    assert max(sent.values()) == 2
    await look_again(product.resources)
    await product.until(lambda: {product.fields(lead_id).get("STRIPE_PAYMENTS") for lead_id in leads} == {"1"})


@pytest.mark.full
@pytest.mark.parametrize("reading", READINGS)
async def test_a_stage_deleted_between_reading_and_writing(product: World, reading: str) -> None:
    product.kommo.switches.set("bad_request", reading)

    def act(_: list[int]) -> None:
        pipeline = product.account.main_pipeline
        pipeline.statuses = [status for status in pipeline.statuses if status.name != "Paid"]

    leads = await _paid_while(product, act)
    await _all_paid(product, leads)
    assert {product.deal(lead_id)["status"] for lead_id in leads} == {"New"}


@pytest.mark.full
@pytest.mark.parametrize("reading", ["403", "400_244"])
async def test_a_deal_that_we_may_not_touch_harms_no_other(product: World, clock: MovableClock, reading: str) -> None:
    """The user who connected us lost the right to other people's deals; one of the deals is somebody else's."""
    product.kommo.switches.set("no_right", reading)
    seller = product.account.add_salesperson("Sia Sales", "sia@acme.example")

    admin = product.account.admin

    def act(leads: list[int]) -> None:
        lead: Lead = product.account.leads[leads[3]]
        lead.responsible_user_id = seller.id
        admin.is_admin, admin.leads.edit = False, "M"

    leads = await _paid_while(product, act, responsible_user_id=admin.id)
    others = [lead_id for lead_id in leads if lead_id != leads[3]]
    await _all_paid(product, others)
    (stuck,) = [deal for deal in await product.rows(Deal) if deal.written < deal.wanted]
    assert (stuck.lead_id, "no right" in stuck.problem) == (leads[3], True)


async def _problem(product: World) -> str:
    (account,) = await product.rows(Account)
    return str(account.problem)


async def test_an_integration_that_may_edit_no_deal_does_not_keep_asking(product: World, clock: MovableClock) -> None:
    """And an administrator reads why nothing is written, until it is."""
    admin = product.account.admin

    def act(_: list[int]) -> None:
        admin.is_admin, admin.leads.edit = False, "D"

    leads = await _paid_while(product, act)
    await product.quiet()
    problem = await _problem(product)
    assert "does not have the right" in problem
    assert "right to edit all deals" in problem
    since = len(product.kommo.requests)
    for _ in range(2):
        clock.advance(10)
        product.resources.work_arrived.set()
        await product.quiet()
    assert product.kommo.requests[since:] == []
    admin.is_admin = True
    clock.advance(11)
    product.resources.work_arrived.set()
    await _all_paid(product, leads)
    await product.quiet()
    assert await _problem(product) == ""


async def test_news_that_come_while_a_deal_is_refused_do_not_wait_for_its_turn(product: World) -> None:
    """It was refused often, so its next turn is hours away; now it was given back to us, and a link is made for it."""
    admin, lead_id = product.account.admin, await product.paid_deal()
    seller = product.account.add_salesperson("Sia Sales", "sia@acme.example")
    lead = product.account.leads[lead_id]
    async with product.resources.database.write() as session:
        await session.exec(update(Deal).values(attempts=6))
    admin.is_admin, admin.leads.edit, lead.responsible_user_id = False, "M", seller.id
    product.kommo.faults.add("delay", "/leads$", method="PATCH", seconds=0.7)
    since = len(product.kommo.requests)
    marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
    product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
    await product.until(lambda: _calls(product, since, "PATCH"))
    admin.is_admin = True
    await product.link(lead_id, "30.00")
    admin.is_admin = False
    await product.until(lambda: any(one.status == 403 for one in product.kommo.requests[since:]))
    admin.is_admin = True
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Partially paid")
    await product.until(lambda: len(product.notes(lead_id)) == 2)
