"""Answers of Kommo that are neither yes nor no double nothing, undo nobody's work and count nothing as done."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from backend.accounts.provisioning import set_up
from backend.kommo_api.errors import KommoError
from backend.storage.models import CardWrite
from sandbox.clock import MovableClock
from tests.world import World, open_world

SETTLE = 0.5
PAGE = 250


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(database_url: str, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(database_url, clock=clock, more={"settle_seconds": SETTLE}) as one:
        yield one


async def _in_time(product: World, clock: MovableClock, holds: Callable[[], object]) -> None:
    """Minutes pass until it holds."""
    for _ in range(100):
        if holds():
            break
        clock.advance(20)
        product.resources.work_arrived.set()
        await asyncio.sleep(0.1)
    await product.quiet()
    assert holds()


async def test_a_note_on_a_page_without_a_link_to_the_next_one_is_found(product: World, clock: MovableClock) -> None:
    """A full page is no last page, whatever its links say."""
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    person = product.kommo.person()
    for number in range(PAGE):
        person.add_note(lead_id, f"Call {number}")
    product.kommo.faults.add("without_next", "/notes", method="GET", times=0)
    product.kommo.faults.add("drop_after", "/notes", method="POST")
    await product.pay(link)
    await product.until(lambda: len(product.notes(lead_id)) > PAGE)
    await _in_time(product, clock, lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid")
    for _ in range(10):
        clock.advance(20)
        product.resources.work_arrived.set()
        await asyncio.sleep(0.1)
    await product.quiet()
    assert {write.state for write in await product.rows(CardWrite)} == {"done"}
    assert len(product.notes(lead_id)) == PAGE + 1


async def test_a_list_of_notes_that_says_nothing_is_asked_for_again(product: World, clock: MovableClock) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    product.kommo.faults.add("drop_after", "/notes", method="POST")
    asked = product.kommo.faults.add("object", "/notes", method="GET", times=2)
    await product.pay(link)
    await _in_time(product, clock, lambda: product.notes(lead_id) and asked.hits == 2)
    for _ in range(100):
        clock.advance(20)
        product.resources.work_arrived.set()
        await product.quiet()
        if {write.state for write in await product.rows(CardWrite)} == {"done"}:
            break
    assert len(product.notes(lead_id)) == 1


async def test_a_move_that_kommo_made_and_left_out_of_its_answer_is_not_made_again(
    product: World, clock: MovableClock
) -> None:
    """A person moves the deal back meanwhile, and it stays there."""
    lead_id = product.lead()
    first = product.account.leads[lead_id].status_id
    link = await product.link(lead_id)
    await product.quiet()
    fault = product.kommo.faults.add("left_out", "/leads$", method="PATCH", about=lead_id)
    await product.pay(link)
    await product.until(lambda: fault.hits)
    product.kommo.person().move_lead(lead_id, first)
    await _in_time(product, clock, lambda: product.notes(lead_id))
    assert product.account.leads[lead_id].status_id == first


async def test_a_move_that_was_left_out_is_not_made_again_after_a_refusal(product: World, clock: MovableClock) -> None:
    """Its deal is sent alone then, and this second call meets Kommo's limit."""
    left_out, other = product.lead("Left out"), product.lead("Other")
    first = product.account.leads[left_out].status_id
    links = [await product.link(lead_id) for lead_id in (left_out, other)]
    await product.quiet()
    product.kommo.faults.add("left_out", "/leads$", method="PATCH", about=left_out, more_than=1)
    limit = product.kommo.faults.add("429_json", "/leads$", method="PATCH", about=left_out)
    product.stripe.courier.held = True
    for link in links:
        await product.pay(link)
    product.stripe.courier.held = False
    product.stripe.courier.release("shuffled")
    await product.until(lambda: limit.hits)
    product.kommo.person().move_lead(left_out, first)
    await _in_time(product, clock, lambda: product.notes(left_out) and product.notes(other))
    assert product.account.leads[left_out].status_id == first


@pytest.mark.parametrize("kind", ["nothing", "object"])
async def test_a_task_counts_as_closed_only_when_kommo_says_so(product: World, clock: MovableClock, kind: str) -> None:
    lead_id = await product.paid_deal()
    dispute = product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    await product.until(lambda: product.account.tasks_of(lead_id))
    await product.quiet()
    fault = product.kommo.faults.add(kind, "/tasks/", method="PATCH")
    product.stripe.answer_dispute(dispute["id"])
    product.stripe.close_dispute(dispute["id"], "won")
    await product.until(lambda: fault.hits)
    await _in_time(product, clock, lambda: product.account.tasks_of(lead_id)[0].is_completed)


async def test_a_field_list_that_is_empty_for_a_while_makes_no_second_fields(
    product: World, clock: MovableClock
) -> None:
    lead_id = await product.paid_deal()
    before = set(product.account.custom_fields)
    product.kommo.faults.add("nothing", "/custom_fields", method="GET", times=0)
    with pytest.raises(KommoError):
        await set_up(product.resources, product.account.id)
    product.kommo.faults.clear()
    await set_up(product.resources, product.account.id)
    assert set(product.account.custom_fields) == before
    product.stripe.refund(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"], 2000)
    await _in_time(product, clock, lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
