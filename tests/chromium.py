"""Chromium for one test file at a time.

Playwright's sync API keeps an event loop running in the thread that started it, and no test with a loop of its own can
run beside it. So it is started for a file and stopped after it, where its makers start it for the whole session.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
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


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser_type(playwright: Playwright) -> BrowserType:
    return playwright.chromium


@pytest.fixture(scope="module")
def browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    launched = browser_type.launch(**browser_type_launch_args)
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def browser_context_args() -> dict[str, Any]:
    return {}
