"""A bot comes to a step of ours, is told what it asked, and leaves by the right exit; the client can pay the link."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from backend.storage.models import BotStep, PaymentRequest
from sandbox.clock import MovableClock
from sandbox.kommo.hooks.designer import BotLife, run_bot
from sandbox.stripe import Payer
from tests.automation.bot_steps.saved import EXITS, saved
from tests.automation.rules.stage import new_key
from tests.world import World, open_world


@pytest.fixture
async def product(database_url: str) -> AsyncIterator[World]:
    """On SQLite and on PostgreSQL."""
    async with open_world(database_url, clock=MovableClock()) as running:
        yield running


def _deal(product: World, price: int = 300) -> int:
    account = product.account
    return account.add_lead("Sofa", price, contacts=[account.add_contact("Ann", email="ann@example.com")]).id


async def _run(product: World, step: str, lead_id: int, **params: str) -> BotLife:
    bot = saved(step, product.url, **params)
    return await run_bot(product.kommo, product.integration.client_id, lead_id, bot, EXITS[step])


BODIES = [{}, {"salesbot_body": "json"}, {"salesbot_body": "form_json_data"}, {"salesbot_alg": "HS256"},
          {"salesbot_claims": "documented"}, {"continue_status": "200"}]  # fmt: skip


@pytest.mark.parametrize("reading", BODIES)
async def test_the_bot_is_given_a_link_that_can_be_paid(product: World, reading: dict[str, str]) -> None:
    for name, value in reading.items():
        product.kommo.switches.set(name, value)
    lead_id = _deal(product)
    key = await new_key(product, amount="percent", percent=50)
    life = await _run(product, "payment_link", lead_id, payment_rule=key)
    assert (life.exit, life.said["amount"], life.said["status"]) == ("ready", "150.00", "pending")
    await product.pay(life.said["link"])
    again = await _run(product, "payment_link", lead_id, payment_rule=key)
    assert (again.exit, len(await product.rows(PaymentRequest))) == ("nothing_to_pay", 1)


async def test_the_bot_knows_the_true_state_of_the_payment(product: World) -> None:
    lead_id = _deal(product)
    assert (await _run(product, "is_it_paid", lead_id)).exit == "open"
    link = await product.link(lead_id, "300.00")
    before = await _run(product, "is_it_paid", lead_id)
    assert (before.exit, before.said["amount"], before.said["link"]) == ("open", "300.00", link)
    product.stripe.courier.held = True  # no webhook comes: the last look at Stripe tells
    await product.pay(link)
    assert (await _run(product, "is_it_paid", lead_id)).exit == "paid"


async def test_money_under_way_is_neither_paid_nor_open(product: World) -> None:
    lead_id = _deal(product)
    await product.pay(await product.link(lead_id, "300.00"), Payer("delayed"))
    await product.quiet()
    assert (await _run(product, "is_it_paid", lead_id)).exit == "under_way"
    assert (await _run(product, "payment_link", lead_id)).exit == "nothing_to_pay"


async def test_what_stands_in_the_way_leaves_by_failed_and_says_why(product: World) -> None:
    life = await _run(product, "payment_link", _deal(product, 0))
    assert (life.exit, life.said["status"], life.said["reason"]) == ("failed", "no_price", "The deal has no price.")


async def test_a_bot_whose_answer_was_lost_is_told_again_and_goes_on_once(product: World) -> None:
    """The second time Kommo knows of no bot that waits, and that is the end of it."""
    product.kommo.faults.add("drop_after", path="/continue/", times=1)
    life = await _run(product, "is_it_paid", _deal(product))
    assert life.exit == "open"
    for _ in range(500):
        if all(row.state == "done" for row in await product.rows(BotStep)):
            break
        product.clock.advance(5)  # Kommo had no answer: it is given a moment
        await asyncio.sleep(0.02)
    assert [(row.state, row.outcome) for row in await product.rows(BotStep)] == [("done", "unsure")]
