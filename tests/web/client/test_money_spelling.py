"""How a payer reads money: one spelling on a page and in its preview, in the reader's region."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.core.i18n import LANGUAGES
from backend.core.money import Money, shown
from backend.storage.models import Account
from sandbox.clock import MovableClock
from tests.world import World, open_world

BOT = {"user-agent": "WhatsApp/2.23.20.0"}


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


async def _amount(shop: World, url: str, **headers: str) -> str:
    page = html.unescape((await shop.open(url, **headers)).text)
    (amount,) = re.findall('<dd class="amount">(.*?)</dd>', page)
    return str(amount)


@pytest.mark.parametrize(
    ("query", "accepted", "zone", "written"),
    [
        ("", "es-MX,es;q=0.9,en;q=0.5", "UTC", "$1,200.00\xa0USD"),
        ("", "es-mx", "Europe/Madrid", "$1,200.00\xa0USD"),
        ("", "en-US,es-MX;q=0.1", "UTC", "$1,200.00\xa0USD"),
        ("", "es", "America/Mexico_City", "$1,200.00\xa0USD"),
        ("", "es", "Europe/Madrid", "1.200,00\xa0$\xa0USD"),
        ("", "es-AR", "America/Mexico_City", "$1.200,00\xa0USD"),
        ("?lang=es", "en-US", "America/Mexico_City", "$1,200.00\xa0USD"),
        ("?lang=es-MX", "en-US", "Europe/Madrid", "$1,200.00\xa0USD"),
        ("", "pt-BR", "UTC", "$\xa01.200,00\xa0USD"),
        ("", "es-XX", "Asia/Tokyo", "1.200,00\xa0$\xa0USD"),
        ("", "es-!!,es-,-MX", "nowhere/at all", "1.200,00\xa0$\xa0USD"),
    ],
)
async def test_the_region_is_the_links_the_browsers_or_the_accounts(
    shop: World, query: str, accepted: str, zone: str, written: str
) -> None:
    async with shop.resources.database.write() as session:
        (await session.get_one(Account, shop.account.id)).timezone = zone
    request = await shop.rep.create(amount="1200.00", currency="USD")
    headers = {"accept-language": accepted}
    assert await _amount(shop, f"{request['url']}/back{query}", **headers) == written


@pytest.mark.parametrize("language", LANGUAGES)
async def test_one_sum_has_one_spelling_on_a_page_and_in_its_preview(shop: World, language: str) -> None:
    await shop.stored.set_options(statement=True)
    request = await shop.rep.create(amount="1200.00", currency="USD")
    statement = (await shop.rep.deal())["statement_url"]
    for address, agent in ((f"{request['url']}/back", {}), (request["url"], BOT), (statement, {})):
        page = html.unescape((await shop.open(f"{address}?lang={language}", **agent)).text)
        written = shown(Money(120000, "USD"), language)
        assert page.count(written) == len(re.findall(r"1.200[.,]00", page)) > 1, address


async def test_the_links_region_goes_on_with_its_language(shop: World) -> None:
    request = await shop.rep.create()
    page = (await shop.open(f"{request['url']}/back?lang=es-MX")).text
    assert f'href="/p/{request["url"].rpartition("/")[2]}?lang=es-MX"' in page
