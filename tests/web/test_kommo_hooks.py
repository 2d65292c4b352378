"""Kommo's Digital Pipeline and bots call: the deal is read again, and nothing that they say is believed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.storage.models import Account, Deal
from sandbox.clock import MovableClock
from tests.accounts.connecting import asked, shown
from tests.world import World, open_world

LEADS = "/api/v4/leads"


@pytest.fixture(scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("hooks")
    async with open_world(f"sqlite+aiosqlite:///{folder}/x.db", clock=MovableClock()) as made:
        yield made


@pytest.fixture(scope="module")
async def lead_id(product: World) -> int:
    """A paid deal; the look at it after two minutes is over."""
    made = await product.paid_deal()
    assert isinstance(product.resources.clock, MovableClock)
    product.resources.clock.advance(600)
    product.resources.work_arrived.set()
    await product.until(lambda: len(asked(product, LEADS)) >= 3)
    await product.quiet()
    return made


async def call(product: World, body: bytes, *, url: str = "") -> httpx.Response:
    return await product.http.post(url or (await shown(product))["hook_url"], content=body)


def of_pipeline(lead_id: int) -> bytes:
    return json.dumps({"event": {"data": {"id": lead_id, "element_type": 2, "status_id": 143}}}).encode()


async def test_a_deal_that_is_named_is_read_again_and_what_is_lost_is_repaired(product: World, lead_id: int) -> None:
    status = product.account.field("STRIPE_PAYMENT_STATUS")
    assert status is not None
    product.account.leads[lead_id].values.pop(status.id)
    answer = await call(product, f"leads%5Bstatus%5D%5B0%5D%5Bid%5D={lead_id}".encode())
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid")


async def test_nothing_else_that_it_says_is_believed(product: World, lead_id: int) -> None:
    before = product.deal(lead_id)["status"]
    await call(product, of_pipeline(lead_id))
    await product.quiet()
    assert product.deal(lead_id)["status"] == before


async def test_a_deal_that_we_do_not_know_leaves_nothing_and_asks_nothing(product: World, lead_id: int) -> None:
    other, before = product.lead("Never asked"), len(product.kommo.requests)
    assert (await call(product, of_pipeline(other))).status_code == 200
    await product.quiet()
    assert [row.lead_id for row in await product.rows(Deal)] == [lead_id]
    assert len(product.kommo.requests) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"event": {"data": {"id": "x"}}}'])
async def test_nonsense_at_the_right_address_is_taken_and_forgotten(product: World, body: bytes) -> None:
    assert (await call(product, body)).status_code == 200


async def test_another_address_is_404_in_words(product: World, lead_id: int) -> None:
    answer = await call(product, of_pipeline(lead_id), url=f"{product.url}/kommo/hooks/made-up")
    assert (answer.status_code, "set-up page" in answer.json()["error"]["message"]) == (404, True)


async def test_too_much_is_refused(product: World) -> None:
    assert (await call(product, b"x" * 600_000)).status_code == 413


async def test_the_address_can_not_be_read_in_the_database(product: World) -> None:
    secret = (await shown(product))["hook_url"].rpartition("/")[2]
    (row,) = await product.rows(Account)
    assert (secret in repr(row), row.hook_digest == "") == (False, False)


async def test_a_deal_that_vanished_and_is_told_of_again_is_looked_for(product: World, lead_id: int) -> None:
    async with product.resources.database.write() as session:
        gone = update(Deal).where(col(Deal.lead_id) == lead_id)
        await session.exec(gone.values(state="gone"))
    await call(product, of_pipeline(lead_id))
    await product.quiet()
    assert [row.state for row in await product.rows(Deal)] == ["known"]
