"""The deal card as a person sees it, in a Kommo whose backend is scripted: what the browser tests act on."""

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page

from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.world import KommoWorld
from tests.browser.scripted_backend import ScriptedBackend


@dataclass
class ScriptedWorld:
    """A Kommo with our widget installed, and the scripted backend that the widget calls."""

    kommo: KommoWorld
    integration: Integration
    backend: ScriptedBackend
    kommo_url: str
    backend_url: str

    def deal_url(self, lead_id: int | None = None, **choices: str) -> str:
        lead = next(iter(self.kommo.account.leads)) if lead_id is None else lead_id
        query = "&".join(f"{name}={value}" for name, value in choices.items())
        return f"{self.kommo_url}/leads/detail/{lead}?{query}"

    @property
    def leads(self) -> list[int]:
        return list(self.kommo.account.leads)

    @property
    def rep(self) -> str:
        """The id of a user who is no administrator, as the host page's ``?user=`` takes it."""
        return str(next(user.id for user in self.kommo.account.users.values() if not user.is_admin))


@dataclass
class DealCardPage:
    """The deal card as a person sees it; every complaint of the host page fails the test."""

    page: Page
    world: ScriptedWorld
    heard: list[str] = field(default_factory=list)

    @property
    def widget(self) -> Locator:
        return self.page.locator(".dealpay").first

    def open(self, lead: int | None = None, **choices: str) -> "DealCardPage":
        self.page.goto(self.world.deal_url(lead, **choices))
        self.page.wait_for_selector("html[data-ready=yes]")
        return self

    def button(self, name: str) -> Locator:
        """By the text that is seen; what is heard says more where there are many of the kind."""
        shown = re.compile(rf"^\s*{re.escape(name)}\s*$")
        return self.widget.get_by_role("button").filter(has_text=shown)

    def begin(self) -> "DealCardPage":
        self.button("Create Stripe payment").click()
        return self

    def field(self, label: str) -> Locator:
        return self.widget.get_by_label(label)

    @property
    def submit(self) -> Locator:
        return self.widget.locator("[data-key=submit]")

    def open_settings(self) -> "DealCardPage":
        """The widget's window in Kommo's settings."""
        self.page.goto(f"{self.world.kommo_url}/settings/widgets")
        self.page.wait_for_selector("html[data-ready=yes]")
        self.page.get_by_role("button", name="Settings").click()
        return self

    def later(self, seconds: float) -> None:
        """The page's clock goes forward; its timers go on as they were."""
        self.page.evaluate("ms => { const now = Date.now; Date.now = () => now() + ms; }", seconds * 1000)

    def host(self, expression: str) -> Any:
        return self.page.evaluate(f"window.host.{expression}")
