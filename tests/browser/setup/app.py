"""The admin's app in a browser: the way in, its navigation, and pictures of a page as it looks to everybody.

With ``INSTALL_SHOTS=folder`` the pictures of the documents are made there.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.stage import upload_widget
from tests.axe import violations
from tests.browser.threaded import threaded
from tests.world import World, open_world

FOLDER = os.environ.get("INSTALL_SHOTS")
LOOKS = [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")] if FOLDER else [(320, "dark"), (1280, "light")]
"""Each width and each theme once; all four where pictures are made."""
SHEET = (
    "body { margin: 0; padding: 8px; background: #888; display: grid; grid-template-columns: 190px 190px 1fr; "
    "gap: 8px; align-items: start; grid-template-rows: auto 1fr } "
    "img { width: 100% } img:nth-child(-n+2) { grid-row: span 2 }"
)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[World]:
    """Installed, and no stage chosen yet."""
    with threaded(open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", more={"paid_stages": ""})) as found:
        upload_widget(found.kommo, found.integration, found.url, tmp_path)
        yield found


def open_setup(product: World, page: Page) -> Page:
    """The page that Kommo's settings window opens in a new tab."""
    page.set_viewport_size({"width": 980, "height": 560})
    page.goto(f"{product.kommo.base_url}/settings/widgets")
    page.wait_for_selector("html[data-ready=yes]")
    page.get_by_role("button", name="Settings").click()
    button = page.get_by_role("button", name="Open set-up")
    expect(button).to_be_visible()
    keep(page, "open-set-up")
    with page.expect_popup() as opened:
        button.click()
    setup = opened.value
    setup.get_by_role("button", name=f"Open the set-up of {product.account.subdomain}").click()
    setup.wait_for_url(f"{product.url}/admin")
    return setup


def go(setup: Page, *names: str) -> None:
    """By the navigation, and from a page to one of its topics."""
    for name in names:
        setup.get_by_role("link", name=name, exact=True).first.click()


def looks_good(page: Page, name: str) -> None:
    """Nothing shuts anybody out, and nothing is wider than the screen. With pictures, a sheet has all four looks."""
    kept: list[bytes] = []
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if FOLDER:
            kept.append(page.screenshot(full_page=True))
    if FOLDER:
        _sheet(page, Path(FOLDER) / f"admin-{name}.jpg", kept)


def _sheet(page: Page, file: Path, pictures: list[bytes]) -> None:
    """Narrow ones at the left of wide ones, as many pixels as a document needs."""
    shown = "".join(f'<img src="data:image/png;base64,{base64.b64encode(one).decode()}">' for one in pictures)
    sheet = page.context.new_page()
    sheet.set_viewport_size({"width": 1400, "height": 700})
    sheet.set_content(f"<style>{SHEET}</style>{shown}")
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.screenshot(path=file, full_page=True, type="jpeg", quality=55)
    sheet.close()


def keep(page: Page, name: str, *, full_page: bool = False) -> None:
    if FOLDER:
        Path(FOLDER).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(FOLDER) / f"{name}.png", full_page=full_page)
