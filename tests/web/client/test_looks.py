"""The client's pages in real Chromium: telephone and desktop, light and dark, each language, nobody shut out.

With ``PAY_SHOTS=folder`` the screens are kept there.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from sandbox.clock import MovableClock
from sandbox.stripe import Payer
from tests.chromium import chromium
from tests.world import World, open_world

pytestmark = pytest.mark.browser
LOOKS = [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")]
LANGUAGES = ("en", "es", "pt", "tr", "id", "ru")
LONG = "Übersetzungsdienstleistungsvertrag" * 7


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


async def _pages(shop: World) -> dict[str, str]:
    """The address of every page that a client may meet."""
    await shop.stored.set_options(
        business_name=LONG[:80],
        contact_phone="+52 55 1234 5678",
        contact_whatsapp="+52 55 1234 5678",
        contact_email=f"{LONG[:60].replace('Ü', 'u')}@example.com",
    )
    pages = {"unknown": f"{shop.http.base_url}/p/aaaaaaaaaaaaaaaa"}
    paid = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    pages["paid"] = f"{paid['url']}/thanks"
    settled = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer(discount=12000))
    pages["settled"] = f"{settled['url']}/thanks"
    processing = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    pages["processing"] = f"{processing['url']}/thanks"
    failed = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    shop.stripe.settle_payment(shop.checkout.session["payment_intent"], "failed")
    pages["failed"] = f"{failed['url']}/thanks"
    await shop.may_refund()
    returned = await shop.paid()
    await shop.rep.refund(shop.checkout.session["payment_intent"], amount="30.00")
    pages["partly_returned"] = returned["url"]
    contract = await shop.rep.create(mode="subscription", interval="week", interval_count=2)
    pages["contract"] = f"{contract['url']}/back"
    cancelled = await shop.rep.create()
    await shop.rep.post(f"/widget/requests/{cancelled['id']}/cancel")
    pages["cancelled"] = cancelled["url"]
    replaced = await shop.rep.create()
    waiting = await shop.rep.create(description=LONG, replaces=replaced["id"])
    pages |= {"replaced": replaced["url"], "waiting": f"{waiting['url']}/thanks", "back": f"{waiting['url']}/back"}
    await shop.stored.set_options(statement=True)
    pages["statement"] = (await shop.rep.deal())["statement_url"]
    moment = await shop.rep.create()
    shop.stripe.advance(24 * 3600 - 180)
    shop.stripe.start_paying(shop.checkout.session["id"])
    return pages | {"moment": moment["url"]}


async def test_every_page_is_accessible_and_fits_its_screen(shop: World) -> None:
    pages = await _pages(shop)
    async with chromium() as browser:
        page = await browser.new_page()
        for name, address in pages.items():
            await page.goto(address)
            for width, theme in LOOKS:
                await _dress(page, width, theme)
                await _keep(page, f"{name}-{width}-{theme}")
                found = await Axe().run(page)
                assert found.violations_count == 0, (name, found.generate_report())
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


async def test_a_page_is_styled_under_its_own_strict_policy(shop: World) -> None:
    request = await shop.rep.create()
    async with chromium() as browser:
        page = await browser.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        await page.goto(f"{request['url']}/back")
        assert await page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "432px"
        assert told == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_page_fits_a_telephone_in_every_language(shop: World, language: str) -> None:
    request = await shop.rep.create()
    async with chromium() as browser:
        page = await browser.new_page(locale=language, viewport={"width": 320, "height": 640})
        await page.goto(f"{request['url']}/back")
        await _keep(page, f"back-320-{language}")
        assert await page.evaluate("[document.documentElement.lang, document.documentElement.scrollWidth]") == [
            language,
            320,
        ]


async def _dress(page: Page, width: int, theme: str) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")


async def _keep(page: Page, name: str) -> None:
    folder = os.environ.get("PAY_SHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")
