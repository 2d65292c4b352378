"""Whose page it is, and whether its money is real, on every page that a client sees."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.core.i18n import LANGUAGES
from backend.storage.models import Account, StripeConnection
from backend.web.client.link_pages import texts_of
from sandbox.clock import MovableClock
from tests.world import CONNECTION, World, open_world

BOT = {"user-agent": "WhatsApp/2.23.20.0"}


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


@pytest.mark.parametrize("language", LANGUAGES)
async def test_test_money_says_so_on_every_page(shop: World, language: str) -> None:
    await shop.stored.set_options(statement=True)
    request = await shop.rep.create()
    statement = (await shop.rep.deal())["statement_url"]
    for address in (f"{request['url']}/back", f"{request['url']}/thanks", statement):
        assert (
            f'<p class="test">{texts_of(language)["test_band"]}</p>'
            in (await shop.open(f"{address}?lang={language}")).text
        )


async def test_a_chat_sees_that_a_link_asks_for_test_money(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    request = await shop.rep.create()
    for address in (request["url"], (await shop.rep.deal())["statement_url"]):
        assert 'property="og:title" content="[TEST] Acme Studio · ' in (await shop.open(address, **BOT)).text


async def test_a_test_payment_is_not_called_money_that_was_received(shop: World) -> None:
    request = await shop.paid()
    page = (await shop.open(f"{request['url']}/thanks")).text
    assert "<h1>A test payment was received</h1>" in page
    assert "It was a test: no money moved." in page
    assert "was received on" not in page


async def test_real_money_is_not_called_a_test(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    await _go_live(shop)
    request = await shop.paid()
    pages = [await shop.open(address) for address in (request["url"], (await shop.rep.deal())["statement_url"])]
    assert ["test" in page.text.lower().partition("<body>")[2] for page in pages] == [False, False]
    assert ["[TEST]" in page.text for page in pages] == [False, False]
    assert "Thank you. 120.00 EUR was received on" in pages[0].text


async def _go_live(shop: World) -> None:
    async with shop.resources.database.write() as session:
        (await session.get_one(StripeConnection, CONNECTION)).livemode = True
        (await session.get_one(Account, shop.account.id)).mode = "live"
