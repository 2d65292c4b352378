"""Real Chromium on the sandbox's deal card, with the built archive in it and a scripted backend behind it.

Playwright's sync API can't live in a running event loop, so the servers run in a thread of their own. They are
started once a file; each test has a Kommo and a backend of its own behind them.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page
from starlette.types import ASGIApp, Receive, Scope, Send

from backend import widget_archive
from backend.core.clock import system_clock
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.app import create_app
from sandbox.kommo.host import install_widget
from sandbox.kommo.world import KommoWorld
from sandbox.serving import serving
from tests.browser.scripted import ScriptedBackend

T = TypeVar("T")


@contextmanager
def threaded(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What ``context`` yields, entered and left in a thread with an event loop of its own."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    entered: Future[T] = Future()

    async def stay() -> None:
        try:
            async with context as value:
                entered.set_result(value)
                await stop.wait()
        except Exception as error:
            if entered.done():
                raise
            entered.set_exception(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(stay(),), daemon=True)
    thread.start()
    try:
        yield entered.result(30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


@dataclass
class Stage:
    """A Kommo with our widget installed, and the backend that the widget calls."""

    world: KommoWorld
    integration: Integration
    backend: ScriptedBackend
    kommo_url: str
    backend_url: str

    def deal_url(self, lead_id: int | None = None, **choices: str) -> str:
        lead = next(iter(self.world.account.leads)) if lead_id is None else lead_id
        query = "&".join(f"{name}={value}" for name, value in choices.items())
        return f"{self.kommo_url}/leads/detail/{lead}?{query}"

    @property
    def leads(self) -> list[int]:
        return list(self.world.account.leads)

    @property
    def rep(self) -> str:
        """The id of a user who is no administrator, as the host page's ``?user=`` takes it."""
        return str(next(user.id for user in self.world.account.users.values() if not user.is_admin))


@dataclass
class Door:
    """What is served at one address; the app behind it may be changed while the server runs."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            assert self.app
            await self.app(scope, receive, send)
            return
        for said in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{said}.complete"})


@dataclass
class House:
    """The two addresses of a file's tests, and the archive that was built for the backend's."""

    kommo: Door
    backend: Door
    kommo_url: str
    backend_url: str
    archive: bytes


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    kommo, backend = Door(), Door()
    with ExitStack() as stack:
        kommo_url = stack.enter_context(threaded(serving(kommo)))
        backend_url = stack.enter_context(threaded(serving(backend)))
        out = tmp_path_factory.mktemp("widget") / "widget.zip"
        built = widget_archive.build(widget_archive.find_sources(), backend_url, out)
        yield House(kommo, backend, kommo_url, backend_url, built.content)


@pytest.fixture
def stage(house: House) -> Stage:
    world = KommoWorld(system_clock)
    world.base_url = house.kommo_url
    integration = world.add_integration(world.account, "http://127.0.0.1:1/oauth/kommo/callback")
    install_widget(world, integration.client_id, house.archive)
    backend = ScriptedBackend(integration.client_secret)
    house.kommo.app, house.backend.app = create_app(world), backend.app()
    return Stage(world, integration, backend, house.kommo_url, house.backend_url)


@dataclass
class Card:
    """The deal card as a person sees it; every complaint of the host page fails the test."""

    page: Page
    stage: Stage
    heard: list[str] = field(default_factory=list)

    @property
    def widget(self) -> Locator:
        return self.page.locator(".dealpay").first

    def open(self, lead: int | None = None, **choices: str) -> "Card":
        self.page.goto(self.stage.deal_url(lead, **choices))
        self.page.wait_for_selector("html[data-ready=yes]")
        return self

    def button(self, name: str) -> Locator:
        return self.widget.get_by_role("button", name=name, exact=True)

    def begin(self) -> "Card":
        self.button("Create Stripe payment").click()
        return self

    def field(self, label: str) -> Locator:
        return self.widget.get_by_label(label)

    @property
    def submit(self) -> Locator:
        return self.widget.locator("[data-key=submit]")

    def open_settings(self) -> "Card":
        """The widget's window in Kommo's settings."""
        self.page.goto(f"{self.stage.kommo_url}/settings/widgets")
        self.page.wait_for_selector("html[data-ready=yes]")
        self.page.get_by_role("button", name="Settings").click()
        return self

    def later(self, seconds: float) -> None:
        """The page's clock goes forward; its timers go on as they were."""
        self.page.evaluate("ms => { const now = Date.now; Date.now = () => now() + ms; }", seconds * 1000)

    def host(self, expression: str) -> Any:
        return self.page.evaluate(f"window.host.{expression}")


@pytest.fixture(scope="module")
def kept_page(browser: Browser) -> Iterator[Page]:
    """One page for all tests of a file: it knows the host's scripts already."""
    page = browser.new_page(reduced_motion="reduce")
    yield page
    page.close()


@pytest.fixture
def card(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Card]:
    """On the kept page; with the marker ``own_page`` on one that no other test sees."""
    own = request.node.get_closest_marker("own_page")
    page: Page = request.getfixturevalue("page" if own else "kept_page")
    page.set_viewport_size({"width": 1280, "height": 720})
    found = Card(page, stage)
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
