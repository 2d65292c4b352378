"""Exactly once into the deal: refusals, doubt, people, and deals that are gone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.storage.models import CardWrite, Deal
from sandbox.clock import MovableClock
from sandbox.stripe.lives.foreign import Foreign
from tests.world import World, open_world

SETTLE = 1.0
REFUSALS = ("429_html", "400_try_again")
DAILY = {("/leads/notes", "drop_after"), ("/leads$", "504_after")}
LOST = [
    pytest.param(path, kind, marks=() if (path, kind) in DAILY else pytest.mark.full)
    for path in ("/leads/notes", "/leads$")
    for kind in ("drop_after", "500_json", "502_html", "504_after", "cut")
]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    database = f"sqlite+aiosqlite:///{tmp_path}/writer.db"
    async with open_world(database, clock=clock, more={"settle_seconds": SETTLE}) as running_product:
        yield running_product


def _calls(product: World, since: int, method: str = "", path: str = "/api/v4/") -> list[Any]:
    asked = product.kommo.requests[since:]
    return [one for one in asked if path in one.path and (not method or one.method == method)]


async def _pay_all(product: World, leads: list[int]) -> None:
    """Many deals paid at once: their events are held until all are there."""
    product.stripe.courier.held = True
    for lead_id in leads:
        await product.pay(await product.link(lead_id))
    await asyncio.sleep(0)
    product.stripe.courier.held = False
    product.stripe.courier.release("shuffled")


async def test_a_lone_payment_takes_three_calls(product: World) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Pending")
    await product.quiet()
    product.stripe.courier.at_once = 1
    since = len(product.kommo.requests)
    await product.pay(link)
    await product.until(lambda: product.notes(lead_id))
    assert [call.method for call in _calls(product, since)] == ["GET", "PATCH", "POST"]


async def test_a_deal_that_is_as_wanted_costs_no_write(product: World) -> None:
    lead_id = await product.paid_deal()
    since = len(product.kommo.requests)
    for event in product.stripe.events:
        product.stripe.redeliver(event.id)
    await product.quiet()
    assert [call for call in _calls(product, since) if call.is_write] == []
    assert len(product.notes(lead_id)) == 1


async def test_many_deals_are_written_together(product: World) -> None:
    leads = [product.lead(f"Deal {n}") for n in range(20)]
    await _pay_all(product, leads)
    await product.until(lambda: all(product.notes(lead_id) for lead_id in leads))
    await product.quiet()
    assert [len(product.notes(lead_id)) for lead_id in leads] == [1] * 20
    assert len(_calls(product, 0, "POST", "/leads/notes")) < 20


async def _settled(product: World) -> None:
    """Nothing is in doubt any more."""
    for _ in range(200):
        await product.quiet()
        if {write.state for write in await product.rows(CardWrite)} == {"done"}:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("still in doubt")


@pytest.mark.parametrize(("path", "kind"), LOST)
async def test_a_lost_answer_doubles_nothing(product: World, path: str, kind: str) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Pending")
    await product.quiet()
    product.kommo.faults.add(kind, path, method="POST" if "notes" in path else "PATCH")
    await product.pay(link)
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid", 30)
    await product.until(lambda: product.notes(lead_id), 30)
    await _settled(product)
    assert len(product.notes(lead_id)) == 1
    assert len(product.deal(lead_id)["moves"]) == 1
    assert product.deal(lead_id)["status"] == "Paid"


@pytest.mark.parametrize("kind", ["drop_before", *(pytest.param(one, marks=pytest.mark.full) for one in REFUSALS)])
async def test_a_definite_no_is_tried_again(product: World, kind: str) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    product.kommo.faults.add(kind, "/leads/notes", method="POST", times=1)
    await product.pay(link)
    await product.until(lambda: product.notes(lead_id), 30)
    await product.quiet()
    assert len(product.notes(lead_id)) == 1


async def test_news_of_a_deal_do_not_end_the_doubt_about_an_earlier_note(tmp_path: Path) -> None:
    """Its process died before the note went out, and a refund comes before anybody may look whether it did."""
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as product:
        lead_id = await product.paid_deal()
        product.account.notes.clear()
        async with product.resources.database.write() as session:
            left = {"state": "sent", "sent_at": clock(), "kommo_id": None}
            await session.exec(update(CardWrite).where(col(CardWrite.kind) == "note").values(**left))
        product.stripe.refund(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"], 2000)
        await product.until(lambda: product.notes(lead_id))
        await product.quiet()
        clock.advance(product.resources.settle_seconds + 1)
        await product.until(lambda: len(product.notes(lead_id)) == 2)
        await _settled(product)
        said = sorted(note.text.partition("] ")[2].partition(" (")[0] for note in product.notes(lead_id))
        told = ["20.00 USD was refunded to the client", "The client paid 120.00 USD for “Sofa"]
        assert [said[0], said[1][:36]] == told


@pytest.mark.parametrize(("kind", "seconds"), [("429_json", 300), ("402", 60), ("403_block", 30)])
async def test_kommo_is_given_the_time_it_asks_for_whatever_else_comes(
    tmp_path: Path, kind: str, seconds: float
) -> None:
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as product:
        lead_id, other = product.lead(), product.lead()
        links = [await product.link(lead_id), await product.link(other)]
        await product.quiet()
        product.kommo.faults.add(kind, "/leads", method="GET", times=1)
        await product.pay(links[0])
        await product.quiet()
        since = len(product.kommo.requests)
        await product.pay(links[1])
        await product.quiet()
        assert _calls(product, since) == []
        product.kommo.limits.lift()
        clock.advance(seconds + 2)
        await product.until(lambda: product.notes(lead_id) and product.notes(other))


async def test_a_field_that_a_user_removed_does_not_stop_the_payment(product: World) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    product.kommo.person().delete_field("STRIPE_PAYMENTS")
    await product.pay(link)
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid"
    assert product.deal(lead_id)["status"] == "Paid"


async def test_a_deleted_deal_harms_no_other(product: World) -> None:
    gone, here = product.lead("Gone"), product.lead("Here")
    links = [await product.link(gone), await product.link(here)]
    await product.quiet()
    product.kommo.person().delete_lead(gone)
    for link in links:
        await product.pay(link)
    await product.until(lambda: product.notes(here))
    await product.quiet()
    deals = {deal.lead_id: deal.state for deal in await product.rows(Deal)}
    assert (deals[gone], deals[here]) == ("gone", "known")
    unmatched = await product.http.get(f"{product.url}/admin/api/unmatched", headers=product.admin)
    assert [row["lead_id"] for row in unmatched.json()] == [gone]


@pytest.mark.parametrize("fault", ["empty", "nothing"])
async def test_answers_without_content_bury_no_deals(product: World, clock: MovableClock, fault: str) -> None:
    """Kommo answers for a while as if there were nothing: five paid deals are written once it is well again."""
    leads = [product.lead(f"Deal {number}") for number in range(5)]
    links = [await product.link(lead_id) for lead_id in leads]
    await product.quiet()
    hiccup = product.kommo.faults.add(fault, "/leads", method="GET", times=0)
    for link in links:
        await product.pay(link)
    await product.until(lambda: hiccup.hits >= 2)
    product.kommo.faults.clear()
    for _ in range(100):
        clock.advance(20)
        if all(product.notes(lead_id) for lead_id in leads):
            break
        await asyncio.sleep(0.2)
    await product.quiet()
    assert all(product.notes(lead_id) for lead_id in leads)
    assert {deal.state for deal in await product.rows(Deal)} == {"known"}


async def test_notes_whose_confirmation_is_lost_are_not_posted_again(product: World) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    product.kommo.faults.add("empty_after", "/notes", method="POST", times=3)
    await product.pay(link)
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    assert len(product.notes(lead_id)) == 1


async def test_a_deal_that_the_list_does_not_show_yet_is_not_gone(product: World) -> None:
    product.kommo.switches.set("list_lag", "20_seconds")
    lead_id = product.lead("New")
    await product.pay(await product.link(lead_id))
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    (deal,) = await product.rows(Deal)
    assert (deal.state, product.deal(lead_id)["status"]) == ("known", "Paid")


async def test_a_payment_attached_to_another_deal_is_written_there(product: World) -> None:
    gone, other = product.lead("Gone"), product.lead("Other")
    link = await product.link(gone)
    await product.quiet()
    product.kommo.person().delete_lead(gone)
    await product.pay(link)
    await product.quiet()
    url = f"{product.url}/admin/api/unmatched"
    (row,) = (await product.http.get(url, headers=product.admin)).json()
    body = {"account_id": product.account.id, "lead_id": other}
    assert (await product.http.post(f"{url}/{row['id']}/attach", json=body, headers=product.admin)).status_code == 200
    await product.until(lambda: product.notes(other))
    await product.quiet()
    assert product.fields(other)["STRIPE_PAYMENT_STATUS"] == "Paid"
    assert (await product.http.get(url, headers=product.admin)).json() == []


async def test_a_persons_move_before_the_payment_does_not_stop_the_first_move(product: World) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    offered = next(status.id for status in product.account.main_pipeline.statuses if status.name == "Offer sent")
    product.kommo.person().move_lead(lead_id, offered)
    await product.pay(link)
    await product.until(lambda: product.deal(lead_id)["status"] == "Paid")


async def test_a_person_who_moved_the_deal_back_keeps_it_there(product: World) -> None:
    lead_id = await product.paid_deal()
    new = next(status.id for status in product.account.main_pipeline.statuses if status.name == "New")
    product.kommo.person().move_lead(lead_id, new)
    await product.pay(await product.link(lead_id, "30.00"))
    await product.until(lambda: len(product.notes(lead_id)) == 2)
    await product.quiet()
    assert product.deal(lead_id)["status"] == "New"


async def test_a_closed_deal_is_written_but_not_moved(product: World) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    product.kommo.person().move_lead(lead_id, 143)
    await product.pay(link)
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    assert product.deal(lead_id)["status_id"] == 143
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid"


async def test_an_incoming_lead_is_left_alone_until_money_comes(product: World) -> None:
    incoming = product.account.main_pipeline.statuses[0].id
    lead_id = product.lead(status_id=incoming)
    link = await product.link(lead_id)
    await product.quiet()
    assert product.deal(lead_id)["status_id"] == incoming
    assert product.fields(lead_id) == {}
    await product.pay(link)
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    assert product.deal(lead_id)["status"] == "Paid"
    assert "Incoming leads" in product.notes(lead_id)[0].params["text"]


async def test_our_notes_start_no_bots(product: World) -> None:
    await product.paid_deal()
    assert all(call.body[0]["is_need_to_trigger_digital_pipeline"] is False
               for call in _calls(product, 0, "POST", "/leads/notes"))  # fmt: skip


async def test_every_intent_ends_as_done(product: World) -> None:
    await product.paid_deal()
    assert {write.state for write in await product.rows(CardWrite)} == {"done"}


async def test_what_a_person_did_while_we_were_kept_waiting_after_reading_stands(tmp_path: Path) -> None:
    """Between reading the deal and writing it a doubt is settled, and Kommo is slow with its notes."""
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as product:
        lead_id = product.lead()
        links = [await product.link(lead_id, amount) for amount in ("120.00", "30.00")]
        await product.pay(links[0])
        await product.until(lambda: product.notes(lead_id))
        await product.quiet()
        async with product.resources.database.write() as session:
            left = {"state": "sent", "sent_at": clock() - 2 * product.resources.settle_seconds}
            await session.exec(update(CardWrite).where(col(CardWrite.kind) == "note").values(**left))
        product.kommo.faults.add("delay", "/leads/notes", method="GET", seconds=0.5)
        since = len(product.kommo.requests)
        await product.pay(links[1])
        await product.until(lambda: _calls(product, since, "GET", "/leads/notes"))
        product.kommo.person().move_lead(lead_id, 143)
        clock.advance(15)
        await product.until(lambda: len(product.notes(lead_id)) == 2)
        await product.quiet()
        assert (product.deal(lead_id)["status_id"], product.fields(lead_id)["STRIPE_AMOUNT_PAID"]) == (143, "150")
        assert [move["via"] for move in product.deal(lead_id)["moves"]] == ["person"]


async def test_more_news_than_a_note_holds_take_several(tmp_path: Path) -> None:
    """An outage is over, and a busy deal has eighty payments to tell of."""
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as product:
        product.kommo.switches.set("note_limit", "4096")
        lead_id = product.lead()
        product.kommo.faults.add("429_json", "/leads", method="GET")
        marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
        paid = [product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)["id"] for _ in range(80)]
        await product.quiet()
        clock.advance(302)
        product.resources.work_arrived.set()
        await product.until(lambda: "".join(note.text for note in product.notes(lead_id)).count("pi_") == len(paid))
        await product.quiet()
        said = "".join(note.text for note in product.notes(lead_id))
        assert [said.count(one) for one in paid] == [1] * len(paid)
        assert max(len(note.text) for note in product.notes(lead_id)) <= 4000
