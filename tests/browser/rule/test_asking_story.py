"""As an administrator, a representative and a client see it: from the action in a stage to the task that is closed."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from sandbox.clock import MovableClock
from sandbox.kommo.accounts.chat_acts import client_writes
from sandbox.stage import upload_widget
from tests.browser.threaded import threaded
from tests.world import World, open_world

pytestmark = pytest.mark.browser
DAY = 86400.0
OPTIONS = {"send_hours": [0, 24], "send_weekdays": [1, 2, 3, 4, 5, 6, 7], "due_days": 1}
READY, ADD = "Ready. Press Save in Kommo.", "+ Stripe payments"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The account has chosen due dates, and a task where a payment is overdue."""
    with threaded(open_world(f"sqlite+aiosqlite:///{tmp_path}/story.db", clock=MovableClock())) as world:
        world.kommo.switches.set("chat_scopes", "present")
        upload_widget(world.kommo, world.integration, world.url, tmp_path)
        _puts(world, "options", OPTIONS)
        _puts(world, "reminders", {"overdue_days": 1})
        yield world


def _puts(world: World, what: str, body: object) -> None:
    url = f"{world.url}/admin/api/accounts/{world.account.id}/{what}"
    answer = httpx.put(url, json=body, headers=world.admin, trust_env=False)
    assert answer.status_code == 200, answer.text


def _keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("WIDGET_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.jpg", type="jpeg", quality=85)


def _open(page: Page, world: World, path: str) -> None:
    page.goto(f"{world.kommo_address}{path}")
    page.wait_for_selector("html[data-ready=yes]")


def test_from_an_action_in_a_stage_to_the_closed_task(page: Page, world: World) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    account = world.account
    lead_id = account.add_lead("Sofa for Ana", 300, contacts=[account.add_contact("Ana", email="ana@example.com")]).id
    client_writes(account, lead_id, "Hi! Can I pay by card?")

    _open(page, world, "/settings/pipeline")
    stage = page.locator("[data-stage]").nth(2)
    name = (stage.get_by_role("heading").text_content() or "").strip()
    stage.get_by_role("button", name=ADD).click()
    page.get_by_label("Description for the client").fill("{deal}")
    page.get_by_label("How the link is sent").select_option("chat task")
    expect(page.get_by_text(READY)).to_be_visible()
    _keep_picture(page, "asks-action")
    page.get_by_role("button", name="Save").click()
    expect(stage.get_by_role("button", name="Stripe payments", exact=True)).to_be_visible()

    _open(page, world, f"/leads/detail/{lead_id}")
    page.get_by_label("Stage").select_option(label=name)
    page.get_by_role("button", name="Save").click()
    said, card = page.locator(".feed__entry_message"), page.locator(".dealpay").first
    expect(said.last).to_contain_text(re.compile(r"/p/\w+"), timeout=20_000)
    _open(page, world, f"/leads/detail/{lead_id}")
    expect(card).to_contain_text("Sent in the chat", timeout=20_000)
    _keep_picture(page, "asks-chat")

    world.clock.advance(3 * DAY)
    tasks = page.locator(".feed__entry_task")
    expect(tasks).to_have_count(1, timeout=20_000)
    expect(tasks).to_contain_text("was due on")

    link = re.search(r"http\S+/p/\w+", said.last.text_content() or "")
    assert link
    client = page.context.new_page()
    client.goto(link[0])
    client.get_by_role("button", name=re.compile("Pay")).click()
    client.wait_for_url(f"{world.url}/**")
    client.close()
    _open(page, world, f"/leads/detail/{lead_id}")
    closed = page.locator(".feed__entry_closed")
    expect(closed).to_contain_text("Paid: 300.00 USD", timeout=20_000)
    expect(card.locator(".dealpay-badge").first).to_have_text("Paid", timeout=20_000)
    expect(tasks).to_have_count(0)
    _keep_picture(page, "asks-paid")
