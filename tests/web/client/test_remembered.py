"""A link that was opened a moment ago is answered from memory, and never against what has become of it since."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from backend.storage.models import Account, PaymentRequest, StripeConnection
from sandbox.clock import MovableClock
from tests.world import World, open_world


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock()) as made:
        yield made


async def _cancelled(shop: World, _: str) -> None:
    (request,) = await shop.rows(PaymentRequest)
    path = f"{shop.url}/widget/requests/{request.id}/cancel"
    assert (await shop.http.post(path, headers=shop.token())).status_code == 200


async def _paid(shop: World, link: str) -> None:
    await shop.pay(link)
    await shop.quiet()


async def _over(shop: World, _: str) -> None:
    async with shop.resources.database.write() as session:
        (request,) = await shop.rows(PaymentRequest)
        (await session.get_one(PaymentRequest, (request.account_id, request.id))).expires_at = shop.clock()


async def _other_mode(shop: World, _: str) -> None:
    async with shop.resources.database.write() as session:
        (await session.get_one(Account, shop.account.id)).mode = "test"


async def _removed(shop: World) -> None:
    async with shop.resources.database.write() as session:
        (connection,) = await shop.rows(StripeConnection)
        (await session.get_one(StripeConnection, connection.id)).state = "removed"


@pytest.mark.parametrize("change", [_cancelled, _paid, _over, _other_mode])
async def test_no_memory_leads_to_checkout_after(shop: World, change: Callable[[World, str], Awaitable[None]]) -> None:
    link = await shop.link(shop.lead())
    assert [(await shop.open(link)).status_code for _ in range(3)] == [303, 303, 303]
    await change(shop, link)
    assert (await shop.open(link)).status_code == 200


async def test_every_part_of_what_is_remembered_counts(shop: World) -> None:
    """A change of the deal's ledger, of its session or of Stripe's connection makes the answer anew."""
    link = await shop.link(shop.lead())
    await shop.open(link)
    await shop.quiet()
    quick = await _statements(shop, link)
    assert quick <= 2
    await _removed(shop)
    assert await _statements(shop, link) > quick


async def _statements(shop: World, link: str) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_more: object) -> None:
        if "link_token" in text or "ledger_entry" in text or "checkout_session" in text:
            seen.append(text)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await shop.open(link)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(seen)


async def test_on_either_database_a_link_is_opened_again(database_url: str) -> None:
    async with open_world(database_url, clock=MovableClock(), worker=False) as world:
        link = (await world.rep.create())["url"]
        assert [(await world.open(link)).status_code for _ in range(3)] == [303] * 3
