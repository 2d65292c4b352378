"""Chromium for one file of browser tests after another.

Playwright's sync API keeps an event loop running in the thread that started it, and no test with a loop of its own can
run beside it. So it is stopped before the next test of another kind, where its makers keep it for the whole session.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any

import pytest
from playwright.async_api import Browser as AsyncBrowser
from playwright.async_api import async_playwright
from playwright.sync_api import Browser, BrowserType, Playwright, sync_playwright

_QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)


def launch_options() -> dict[str, Any]:
    """The machine's own Chromium if it has one, else the one Playwright knows."""
    found = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")
    args = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {"args": args} | ({"executable_path": found} if found else {})


@asynccontextmanager
async def chromium() -> AsyncIterator[AsyncBrowser]:
    """For a test with an event loop of its own."""
    async with async_playwright() as started:
        launched = await started.chromium.launch(**launch_options())
        yield launched
        await launched.close()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | launch_options()


@dataclass
class _Kept:
    """What runs between two files; ``used``: a file's fixtures hold on to it."""

    stack: ExitStack = field(default_factory=ExitStack)
    playwright: Playwright | None = None
    browser: Browser | None = None
    used: bool = False


_kept = _Kept()


def stop_chromium() -> None:
    """End the browser and its driver, if they run and no file is using them."""
    global _kept
    if _kept.playwright and not _kept.used:
        _kept.stack.close()
        _kept = _Kept()


def stop_chromium_before(item: pytest.Item) -> None:
    """End them where the next test may have an event loop of its own."""
    is_async = iscoroutinefunction(getattr(item, "function", None))
    if is_async or not item.get_closest_marker("browser"):
        stop_chromium()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if _kept.playwright is None:
        _kept.playwright = _kept.stack.enter_context(sync_playwright())
    _kept.used = True
    yield _kept.playwright
    _kept.used = False


@pytest.fixture(scope="module")
def browser_type(playwright: Playwright) -> BrowserType:
    return playwright.chromium


@pytest.fixture(scope="module")
def browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Browser:
    if _kept.browser is None or not _kept.browser.is_connected():
        _kept.browser = browser_type.launch(**browser_type_launch_args)
        _kept.stack.callback(_kept.browser.close)
    return _kept.browser


@pytest.fixture(scope="module")
def browser_context_args() -> dict[str, Any]:
    return {}
