"""The client's pages in real Chromium: telephone and desktop, light and dark, each language, nobody shut out.

With ``PAY_SHOTS=docs/images`` the contact sheets of ``docs/pages.md`` are made there.
"""

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from sandbox.clock import MovableClock
from tests.axe import violations_of
from tests.chromium import chromium
from tests.web.client.states import LONG, States, screens, shown
from tests.world import World, open_world

pytestmark = pytest.mark.browser
HALVES = [
    pytest.param(((320, "light"), (1280, "dark")), id="daily"),
    pytest.param(((320, "dark"), (1280, "light")), id="full", marks=pytest.mark.full),
]
"""Of the four looks of a page two are taken each day: each size and each theme once."""
SHEET = ((320, "light"), (320, "dark"), (390, "light"), (390, "dark"))
LANGUAGES = ("en", "es", "pt", "tr", "id", "ru")
PICTURED = ("test", "failed", "cancelled", "expired", "statement", "paid")
SHEET_CSS = "body { margin: 0; background: #888; display: grid; grid-template-columns: repeat(6, 1fr); gap: 8px; padding: 8px; align-items: start } img { width: 100% }"  # noqa: E501


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


@pytest.mark.parametrize("looks", HALVES)
async def test_every_page_is_accessible_and_fits_its_screen(shop: World, looks: tuple[tuple[int, str], ...]) -> None:
    states = States(shop)
    await states.dressed(business_name=LONG[:80], contact_email=f"{LONG[:60].replace('Ü', 'u')}@example.com")
    pages = await states.record()
    async with chromium() as browser:
        page = await browser.new_page()
        async for name, width, theme in screens(page, pages, looks):
            assert await violations_of(page) == [], (name, width, theme)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)


async def test_a_page_is_styled_under_its_own_strict_policy(shop: World) -> None:
    states = States(shop)
    await states.dressed()
    pages = await states.record("back")
    async with chromium() as browser:
        page = await browser.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        await shown(page, pages["back-en"])
        assert await page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "432px"
        assert await page.evaluate("document.querySelector('img.logo').naturalWidth") == 160
        assert told == []


async def test_pages_fit_a_telephone_in_every_language(shop: World) -> None:
    """With ``PAY_SHOTS`` a sheet is kept of each: six languages, two widths, two themes."""
    states = States(shop, LANGUAGES)
    await states.dressed()
    pages = await states.record(*PICTURED)
    async with chromium() as browser:
        page = await browser.new_page()
        kept: dict[str, list[bytes]] = {}
        async for name, width, theme in screens(page, pages, SHEET if _folder() else SHEET[:1]):
            state, _, language = name.partition("-")
            size = await page.evaluate("[document.documentElement.lang, document.documentElement.scrollWidth]")
            assert size == [language, width], name
            if _folder():
                kept.setdefault(f"{state}-{width}-{theme}", []).append(await page.screenshot(full_page=True))
        for state in PICTURED if _folder() else ():
            rows = [kept[f"{state}-{width}-{theme}"] for width, theme in SHEET]
            await _sheet(page, state, [picture for row in rows for picture in row])


async def _sheet(page: Page, state: str, pictures: list[bytes]) -> None:
    shown = "".join(f'<img src="data:image/png;base64,{base64.b64encode(one).decode()}">' for one in pictures)
    await page.unroute_all()
    await page.goto("about:blank")
    await page.set_viewport_size({"width": 1240, "height": 800})
    await page.set_content(f"<style>{SHEET_CSS}</style>{shown}")
    path = Path(_folder()) / f"pages-{state}.jpg"
    await page.screenshot(path=path, full_page=True, type="jpeg", quality=50)


def _folder() -> str:
    return os.environ.get("PAY_SHOTS", "")
