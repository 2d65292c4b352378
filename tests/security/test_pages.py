"""Texts from outside on the client's pages and the set-up pages: whatever they say, they are only ever text.

A page with a hostile text is, tag by tag, the page with a harmless one; and in a real browser nothing runs, neither
under the page's own policy, which had nothing to stop, nor without any.
"""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page

from sandbox.clock import MovableClock
from tests.chromium import chromium
from tests.security.script_strings import EACH_ONCE, HOSTILE, WRAPPERS
from tests.security.text_places import BOT, TextPlaces, filled_places
from tests.world import open_world

HARMLESS = "harmless words " * 4
COOKIE = "kommo_stripe_setup"


@pytest.fixture
async def places(tmp_path: Path, anyio_backend: str) -> AsyncIterator[TextPlaces]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield await filled_places(shop)


class Seen(HTMLParser):
    """A page as tags with the names of their attributes, and beside it all that is only text."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.text = ""
        self.feed(answer.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, sorted(name for name, _ in attrs)))
        self.text += "".join(f"{value}\n" for _, value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "texts",
    [pytest.param(EACH_ONCE[: len(WRAPPERS)], id="some"), pytest.param(HOSTILE, id="all", marks=pytest.mark.full)],
)
async def test_a_hostile_text_changes_no_tag_of_a_page(places: TextPlaces, texts: tuple[str, ...]) -> None:
    await places.write(HARMLESS)
    plain = [Seen(answer) for answer in await places.shown()]
    refused = [Seen(answer) for answer in await places.asked(HARMLESS)]
    assert [one.text.count(HARMLESS) >= 2 for one in plain] == [True] * len(plain)
    for text in texts:
        await places.write(text)
        for before, answer in zip(plain, await places.shown(), strict=True):
            seen = Seen(answer)
            assert (seen.tags, seen.text.count(text)) == (before.tags, before.text.count(HARMLESS)), answer.url
        for before, answer in zip(refused, await places.asked(text), strict=True):
            assert Seen(answer).tags == before.tags, answer.url


@pytest.mark.browser
@pytest.mark.parametrize(
    "texts",
    [pytest.param(EACH_ONCE[::5], id="some"), pytest.param(HOSTILE, id="all", marks=pytest.mark.full)],
)
async def test_in_a_real_browser_nothing_runs(places: TextPlaces, texts: tuple[str, ...]) -> None:
    async with chromium() as browser:
        page = await browser.new_page(user_agent=BOT)
        cookie = {"name": COOKIE, "value": places.http.cookies[COOKIE], "url": str(places.http.base_url)}
        await page.context.add_cookies([cookie])  # type: ignore[list-item]
        told: list[str] = []
        page.on("dialog", lambda dialog: told.append(dialog.message))
        page.on("console", lambda message: told.extend([message.text] * (message.type in ("error", "warning"))))
        page.on("popup", lambda popup: told.append(popup.url))
        for text in texts:
            await places.write(text)
            for path in places.pages:
                await page.goto(f"{places.http.base_url}{path}")
                assert await page.evaluate("window.pwned") is None, (path, text)
            assert told == [], text
            await _without_a_policy(page, [*await places.shown(), *await places.asked(text)], text)


async def _without_a_policy(page: Page, answers: list[httpx.Response], text: str) -> None:
    """The same bytes where no policy would save us."""
    html = [answer.text for answer in answers if "html" in answer.headers.get("content-type", "")]
    await page.goto("about:blank")
    assert await page.evaluate(RUN_IN_FRAMES, html) == [None] * len(html), text
    assert await page.evaluate("window.pwned") is None, text


RUN_IN_FRAMES = """(pages) => Promise.all(pages.map((html) => new Promise((resolve) => {
  const frame = document.createElement('iframe');
  frame.onload = () => setTimeout(() => {
    resolve(frame.contentWindow.pwned ?? null);
    frame.remove();
  }, 30);
  frame.srcdoc = html;
  document.body.append(frame);
})))"""
