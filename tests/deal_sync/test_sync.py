"""A hundred and more deals at once: batches side by side, each deal in one of them, in as few calls as can be."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backend.storage.models import Deal
from sandbox.clock import MovableClock
from sandbox.stripe.lives.foreign import Foreign
from tests.world import World, open_world

DEALS = 120
PATIENCE = 300


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock, more={"settle_seconds": 1}) as one:
        yield one


async def _backlog(product: World, clock: MovableClock, count: int) -> list[int]:
    """All are paid and known here; Kommo has asked for patience, which is over when this returns."""
    leads = [product.lead(f"Deal {number}") for number in range(count)]
    product.kommo.faults.add("429_json", "/leads", method="GET")
    product.stripe.courier.at_once = 16
    for lead_id in leads:
        marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
        product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
    await product.quiet()
    assert len(await product.rows(Deal)) == count
    clock.advance(PATIENCE + 2)
    return leads


def _writes(product: World, since: int) -> list[Any]:
    return [one for one in product.kommo.requests[since:] if one.is_write and "/leads" in one.path]


def _leads_in(call: Any) -> set[int]:
    return {item["entity_id"] if call.method == "POST" else item["id"] for item in call.body}


async def test_many_deals_share_calls_that_overlap(product: World, clock: MovableClock) -> None:
    leads = await _backlog(product, clock, DEALS)
    product.kommo.faults.add("delay", "/leads$", method="PATCH", seconds=3)
    since = len(product.kommo.requests)
    product.resources.work_arrived.set()
    await product.until(lambda: len(product.account.notes) >= DEALS, 20)
    asked = [one for one in product.kommo.requests[since:] if "/leads" in one.path]
    assert Counter(one.method for one in asked) == {"GET": 1, "PATCH": 3, "POST": 3}
    assert Counter(note.entity_id for note in product.account.notes.values()) == Counter(leads)
    patches, posts = (([one for one in asked if one.method == method]) for method in ("PATCH", "POST"))
    assert all(one.at < patches[0].answered_at for one in patches[1:])
    for post in posts:
        (own,) = [one for one in patches if _leads_in(one) == _leads_in(post)]
        assert post.at >= own.answered_at > 0
    await product.quiet()
    assert all(deal.written == deal.wanted for deal in await product.rows(Deal))


@pytest.mark.full
async def test_what_one_batch_meets_undoes_nothing_of_the_others(product: World, clock: MovableClock) -> None:
    """Asked to slow down at one batch, and an answer lost at another: in the end each deal has its one note."""
    leads = await _backlog(product, clock, DEALS)
    product.kommo.faults.add("504_after", "/leads/notes", method="POST")
    product.kommo.faults.add("429_html", "/leads/notes", method="POST", skip=1)
    product.resources.work_arrived.set()
    await product.until(lambda: len(product.account.notes) >= DEALS, 30)
    await product.quiet()
    assert Counter(note.entity_id for note in product.account.notes.values()) == Counter(leads)


async def test_news_that_come_while_a_deal_is_written_are_written_too(product: World, clock: MovableClock) -> None:
    lead_id = product.lead()
    marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
    product.kommo.faults.add("delay", "/leads$", method="PATCH", seconds=0.5)
    since = len(product.kommo.requests)
    product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
    await product.until(lambda: _writes(product, since))
    product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
    await product.until(lambda: len(product.notes(lead_id)) == 2)
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENTS"] == "2")


@pytest.mark.parametrize(
    ("read", "written"), [("504_html", "504_after"), pytest.param("502_html", "500_json", marks=pytest.mark.full)]
)
async def test_what_kommo_does_not_get_done_with_many_goes_with_fewer(
    product: World, clock: MovableClock, read: str, written: str
) -> None:
    """For it takes too long, or for one of them is more than Kommo can bear."""
    leads = await _backlog(product, clock, DEALS)
    product.kommo.faults.add(read, "/leads", method="GET", times=0, more_than=60)
    product.kommo.faults.add(written, "/leads", method="PATCH", times=0, more_than=20)
    since = len(product.kommo.requests)
    for _ in range(300):
        if all(deal.written == deal.wanted for deal in await product.rows(Deal)):
            break
        clock.advance(5)
        product.resources.work_arrived.set()
        await asyncio.sleep(0.1)
        await product.quiet()
    assert Counter(note.entity_id for note in product.account.notes.values()) == Counter(leads)
    assert 2 <= sum(one.status in (500, 502, 504) for one in product.kommo.requests[since:]) <= 8


@pytest.mark.parametrize("method", ["PATCH", pytest.param("GET", marks=pytest.mark.full)])
async def test_a_deal_that_kommo_can_not_bear_holds_up_no_other(
    product: World, clock: MovableClock, method: str
) -> None:
    """It is tried once a minute; each try that fails costs the others a moment."""
    leads = await _backlog(product, clock, 12)
    product.kommo.faults.add("500_json", "/leads$", method=method, times=0, about=(poison := leads[0]))
    for _ in range(40):
        clock.advance(10)
        product.resources.work_arrived.set()
        await asyncio.sleep(0.05)
        await product.quiet()
    assert Counter(note.entity_id for note in product.account.notes.values()) == Counter(leads[1:])
    (left,) = [deal for deal in await product.rows(Deal) if deal.written != deal.wanted]
    assert (left.lead_id, "this deal" in left.problem) == (poison, True)
    quarter = [one for one in product.kommo.requests if one.status == 500 and one.at > clock() - 300]
    assert 3 <= len(quarter) <= 6
