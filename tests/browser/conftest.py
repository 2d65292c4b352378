"""Real Chromium on the sandbox's deal card, with the built archive in it and a scripted backend behind it.

Playwright's sync API can't live in a running event loop, so the servers run in a thread of their own. They are
started once a file; each test has a Kommo and a backend of its own behind them.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page

from backend import widget_archive
from backend.core.clock import system_clock
from sandbox.kommo.app import create_app
from sandbox.kommo.host import install_widget
from sandbox.kommo.world import KommoWorld
from sandbox.serving import serving
from tests.browser.deal_card_page import DealCardPage, ScriptedWorld
from tests.browser.scripted_backend import ScriptedBackend
from tests.browser.threaded import threaded
from tests.world.swappable import SwappableApp


@dataclass
class BrowserAddresses:
    """The two addresses of a file's tests, and the archive that was built for the backend's."""

    kommo: SwappableApp
    backend: SwappableApp
    kommo_url: str
    backend_url: str
    archive: bytes


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserAddresses]:
    kommo, backend = SwappableApp(), SwappableApp()
    with ExitStack() as stack:
        kommo_url = stack.enter_context(threaded(serving(kommo)))
        backend_url = stack.enter_context(threaded(serving(backend)))
        out = tmp_path_factory.mktemp("widget") / "widget.zip"
        built = widget_archive.build(widget_archive.find_sources(), backend_url, out)
        yield BrowserAddresses(kommo, backend, kommo_url, backend_url, built.content)


@pytest.fixture
def scripted_world(addresses: BrowserAddresses) -> ScriptedWorld:
    kommo = KommoWorld(system_clock)
    kommo.base_url = addresses.kommo_url
    integration = kommo.add_integration(kommo.account, "http://127.0.0.1:1/oauth/kommo/callback")
    install_widget(kommo, integration.client_id, addresses.archive)
    backend = ScriptedBackend(integration.client_secret)
    addresses.kommo.app, addresses.backend.app = create_app(kommo), backend.app()
    return ScriptedWorld(kommo, integration, backend, addresses.kommo_url, addresses.backend_url)


@pytest.fixture(scope="module")
def kept_page(browser: Browser) -> Iterator[Page]:
    """One page for all tests of a file: it knows the host's scripts already."""
    page = browser.new_page(reduced_motion="reduce")
    yield page
    page.close()


@pytest.fixture
def card(request: pytest.FixtureRequest, scripted_world: ScriptedWorld) -> Iterator[DealCardPage]:
    """On the kept page; with the marker ``own_page`` on one that no other test sees."""
    own = request.node.get_closest_marker("own_page")
    page: Page = request.getfixturevalue("page" if own else "kept_page")
    page.set_viewport_size({"width": 1280, "height": 720})
    found = DealCardPage(page, scripted_world)
    listen = _listener(found.heard)
    page.on("pageerror", listen)
    page.on("console", listen)
    yield found
    complaints = page.evaluate("window.host ? window.host.complaints : []")
    page.remove_listener("pageerror", listen)
    page.remove_listener("console", listen)
    page.unroute_all(behavior="ignoreErrors")
    page.goto("about:blank")
    assert complaints == []
    assert found.heard == []


def _listener(heard: list[str]) -> Callable[[ConsoleMessage | Error], None]:
    def listen(said: ConsoleMessage | Error) -> None:
        if isinstance(said, Error):
            heard.append(f"page error: {said}")
        # The browser itself reports every answer above 399 and every lost connection; those are scripted.
        elif said.type == "error" and "Failed to load resource" not in said.text and "net::" not in said.text:
            heard.append(said.text)

    return listen
