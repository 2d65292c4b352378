"""Real Chromium on the sandbox's deal card, with the built archive in it and a scripted backend behind it.

Playwright's sync API can't live in a running event loop, so the servers run in a thread of their own.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page

from backend import widget_archive
from backend.clock import system_clock
from backend.sandbox.kommo.app import create_app
from backend.sandbox.kommo.grants import Integration
from backend.sandbox.kommo.host import install_widget
from backend.sandbox.kommo.world import KommoWorld
from backend.sandbox.serving import serving
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


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    world = KommoWorld(system_clock)
    integration = world.add_integration(world.account, "http://127.0.0.1:1/oauth/kommo/callback")
    backend = ScriptedBackend(integration.client_secret)
    with ExitStack() as stack:
        backend_url = stack.enter_context(threaded(serving(backend.app())))
        built = widget_archive.build(widget_archive.find_sources(), backend_url, tmp_path / "widget.zip")
        install_widget(world, integration.client_id, built.content)
        world.base_url = stack.enter_context(threaded(serving(create_app(world))))
        yield Stage(world, integration, backend, world.base_url, backend_url)


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

    def host(self, expression: str) -> Any:
        return self.page.evaluate(f"window.host.{expression}")


@pytest.fixture
def card(page: Page, stage: Stage) -> Iterator[Card]:
    found = Card(page, stage)
    page.on("pageerror", lambda error: found.heard.append(f"page error: {error}"))
    page.on("console", _listener(found.heard))
    yield found
    complaints = page.evaluate("window.host ? window.host.complaints : []")
    assert complaints == []
    assert found.heard == []


def _listener(heard: list[str]) -> Callable[[ConsoleMessage], None]:
    def listen(message: ConsoleMessage) -> None:
        # The browser itself reports every answer above 399 and every lost connection; those are scripted.
        if message.type == "error" and "Failed to load resource" not in message.text and "net::" not in message.text:
            heard.append(message.text)

    return listen
