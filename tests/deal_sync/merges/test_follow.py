"""Two deals that a rep merges in Kommo: what was asked and paid for the one that goes follows to the one that stays."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import select

from backend.deal_sync.merges.feed import look_for_merges
from backend.storage.models import CardWrite, MergedDeal, MergeFeed
from sandbox.clock import MovableClock
from sandbox.stripe.lives.foreign import Foreign
from tests.world import World, open_world

EVENTS = "/api/v4/events"
MERGING = "This deal was merged; its payments are on their way here."


@pytest.fixture
async def product(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url, clock=MovableClock(), more={"settle_seconds": 1.0}) as running:
        yield running


async def _two_deals(product: World) -> tuple[int, int]:
    """A, for which the client paid 500, and B, for which nothing was asked; both of one client."""
    client = product.account.add_contact("Client")
    paid = await product.paid_deal("500.00", contacts=[client])
    return paid, product.lead("Another", 700, contacts=[client])


def _merge(product: World, gone: int, survivor: int) -> None:
    product.kommo.person().merge_leads(survivor, gone)


async def _arrived(product: World, lead_id: int, amount: float = 500) -> None:
    await product.until(lambda: float(product.fields(lead_id).get("STRIPE_AMOUNT_PAID") or 0) == amount)
    await product.quiet()


def _said(product: World, lead_id: int, words: str) -> int:
    return sum(note.text.count(words) for note in product.notes(lead_id))


async def _unmatched(product: World) -> list[dict[str, Any]]:
    answer = await product.http.get(f"{product.url}/admin/api/unmatched", headers=product.admin)
    rows: list[dict[str, Any]] = answer.json()
    return rows


@pytest.mark.parametrize("shape", ["at_survivor", "at_gone", "in_values"])
async def test_looking_at_the_survivor_brings_the_payments_there_however_the_merge_is_told(
    product: World, shape: str
) -> None:
    gone, survivor = await _two_deals(product)
    product.kommo.switches.set("merge_shape", shape)
    _merge(product, gone, survivor)
    assert (await product.rep.deal(survivor))["explanation"] in (MERGING, "Everything that was asked for is paid.")
    await _arrived(product, survivor)
    assert (await product.rep.deal(survivor))["state"] == "paid"
    assert _said(product, survivor, f"Deal {gone} was merged into this one") == 1
    assert _said(product, survivor, "The client paid") == 1
    assert await _unmatched(product) == []


@pytest.mark.parametrize("feed", ["entity_merged", "deleted", "none"])
async def test_a_payment_that_comes_for_the_merged_deal_is_the_survivors(product: World, feed: str) -> None:
    """Its link was sent before. Where no event tells of the merge, two proofs in the survivor do."""
    gone, survivor = await _two_deals(product)
    more = await product.link(gone, "80.00")
    product.kommo.switches.set("merge_events", feed)
    _merge(product, gone, survivor)
    await product.pay(more)
    await _arrived(product, survivor, 580)
    third = Foreign("intent", amount=2000, currency="usd", metadata={"kommo_lead_id": str(gone)})
    product.stripe.foreign_payment(third, live=True)
    await _arrived(product, survivor, 600)
    assert _said(product, survivor, "The client paid") == 3
    assert await _unmatched(product) == []


async def test_without_the_feed_one_survivor_with_both_proofs_is_enough(product: World) -> None:
    gone, survivor = await _two_deals(product)
    product.kommo.switches.set("events_feed", "403")
    _merge(product, gone, survivor)
    await product.rep.deal(survivor)
    await _arrived(product, survivor)
    (row,) = await product.rows(MergedDeal)
    assert (row.lead_id, row.survivor_id, row.proof) == (gone, survivor, "fields")


@pytest.mark.parametrize("lacks", ["the id", "the contact", "uniqueness"])
async def test_without_the_feed_less_than_two_proofs_is_a_suggestion(product: World, lacks: str) -> None:
    gone, survivor = await _two_deals(product)
    client = next(iter(product.account.leads[gone].contacts))
    product.kommo.switches.set("events_feed", "403")
    if lacks == "uniqueness":
        product.kommo.person().copy_lead(gone)
    _merge(product, gone, survivor)
    if lacks == "the id":
        product.account.leads[survivor].values.clear()
    if lacks == "the contact":
        product.account.leads[survivor].contacts = {product.account.add_contact("Other").id: True, client: False}
    await product.rep.deal(survivor)
    await product.until(lambda: any(one.path == EVENTS for one in product.kommo.requests))
    await product.quiet()
    (row,) = await _unmatched(product)
    assert row["lead_id"] == gone
    assert survivor in row["suggestions"]
    assert await product.rows(MergedDeal) == []


async def test_a_deleted_deal_follows_nowhere(product: World) -> None:
    gone, other = await _two_deals(product)
    product.kommo.person().delete_lead(gone)
    assert (await product.rep.deal(other))["explanation"]
    await product.quiet()
    assert [row["lead_id"] for row in await _unmatched(product)] == [gone]
    assert (await product.rep.deal(other))["state"] == "pending"


async def test_a_chain_of_merges_ends_at_the_one_that_lives(product: World) -> None:
    """A into B before we know of it, and then B into C after everything has followed to B."""
    first, second = await _two_deals(product)
    third, last = product.lead("Third"), product.lead("Last")
    _merge(product, first, second)
    _merge(product, second, third)
    await product.rep.deal(third)
    await _arrived(product, third)
    _merge(product, third, last)
    await product.rep.deal(last)
    await _arrived(product, last)
    late = Foreign("intent", amount=2000, currency="usd", metadata={"kommo_lead_id": str(first)})
    product.stripe.foreign_payment(late, live=True)
    await _arrived(product, last, 520)
    rows = {row.lead_id: row.survivor_id for row in await product.rows(MergedDeal)}
    assert rows.keys() & set(rows.values()) == set()
    assert rows[first] == rows[third] == last


async def test_the_feed_alone_shows_a_merge_that_nobody_looks_at(product: World) -> None:
    gone, survivor = await _two_deals(product)
    await look_for_merges(product.resources)
    async with product.resources.database.write() as session:
        (feed,) = (await session.exec(select(MergeFeed))).all()
        feed.heard_to -= 601
        session.add(feed)
    _merge(product, gone, survivor)
    await look_for_merges(product.resources)
    await _arrived(product, survivor)


async def test_the_clients_statement_of_the_merged_deal_leads_to_the_survivors(product: World) -> None:
    gone, survivor = await _two_deals(product)
    await product.stored.set_options(statement=True)
    address = (await product.rep.deal(gone))["statement_url"]
    _merge(product, gone, survivor)
    await product.rep.deal(survivor)
    await _arrived(product, survivor)
    assert "500.00" in (await product.open(address)).text


async def test_a_deal_that_is_back_gets_its_own_payments_again(product: World) -> None:
    gone, survivor = await _two_deals(product)
    _merge(product, gone, survivor)
    await product.rep.deal(survivor)
    await _arrived(product, survivor)
    product.kommo.person().restore_lead(gone)
    await product.pay(await product.link(gone, "30.00"))
    await _arrived(product, gone, 30)
    assert await product.rows(MergedDeal) == []
    assert float(product.fields(survivor)["STRIPE_AMOUNT_PAID"]) == 500


async def test_the_survivor_stands_where_the_person_who_merged_left_it(product: World) -> None:
    """The stage that the old deal's money moved that one to is not the survivor's; what comes later moves it."""
    gone, survivor = await _two_deals(product)
    assert product.deal(gone)["status"] == "Paid"
    more = await product.link(gone, "80.00")
    _merge(product, gone, survivor)
    await product.rep.deal(survivor)
    await product.until(lambda: _said(product, survivor, "was merged into this one"))
    await product.quiet()
    assert product.deal(survivor)["moves"] == []
    product.clock.advance(1)  # Stripe's time has whole seconds, and of two in one second none is the later
    await product.pay(more)
    await product.until(lambda: product.deal(survivor)["status"] == "Paid")


async def test_a_note_in_doubt_is_looked_for_at_the_survivor_and_not_written_twice(product: World) -> None:
    gone, survivor = await _two_deals(product)
    product.kommo.faults.add("504_after", "/api/v4/leads/notes", method="POST")
    more = await product.link(gone, "80.00")
    await product.pay(more)
    await product.until(lambda: _said(product, gone, "The client paid") == 2)
    _merge(product, gone, survivor)
    await product.rep.deal(survivor)
    await _arrived(product, survivor, 580)
    await product.until(lambda: _said(product, survivor, "was merged into this one"))
    writes = await product.rows(CardWrite)
    assert {write.lead_id for write in writes} == {survivor}
    await product.until(lambda: _said(product, survivor, "The client paid") >= 2)
    assert _said(product, survivor, "The client paid") == 2


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[World]:
    """Without a worker: what the web says until the worker has done its part."""
    async with open_world(database_url, clock=MovableClock(), worker=False) as running:
        yield running


async def test_until_the_payments_have_followed_the_survivors_panel_says_so_in_every_language(shop: World) -> None:
    client = shop.account.add_contact("Client")
    survivor = shop.lead("Another", 700, contacts=[client])
    shop.first_deal.contacts = {client.id: True}
    await shop.paid()
    assert await _explanation(shop, survivor) != MERGING
    shop.clock.advance(301)
    _merge(shop, shop.first_deal.id, survivor)
    said = [await _explanation(shop, survivor, language) for language in ("en", "es", "pt", "tr", "id", "ru")]
    assert said[0] == MERGING
    assert len(set(said)) == len(said)


async def _explanation(product: World, lead_id: int, language: str = "en") -> str:
    url = f"{product.url}/widget/deals/{lead_id}?lang={language}"
    return str((await product.http.get(url, headers=product.token())).json()["explanation"])
