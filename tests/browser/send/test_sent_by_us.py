"""*Send*: the card shows the way and the words before, sends once, and tells what became of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from sandbox.clock import MovableClock
from sandbox.kommo.accounts.chat_acts import client_writes
from sandbox.stage import upload_widget
from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, a_request
from tests.browser.threaded import threaded
from tests.world import World, open_world

pytestmark = pytest.mark.browser


def _row(card: DealCardPage) -> Locator:
    return card.widget.locator(".dealpay-entry").first


def test_the_way_and_the_words_are_shown_first_and_a_double_click_sends_once(card: DealCardPage) -> None:
    backend = card.world.backend
    backend.always["send"] = Answer(seconds=0.2)
    backend.deal |= {"requests": [a_request()]}
    card.open()
    card.button("Send").click()
    expect(_row(card)).to_contain_text("In the open chat:")
    expect(_row(card).locator("blockquote")).to_have_text("Please pay here")
    card.button("Send now").dblclick()
    expect(_row(card)).to_contain_text("Sent in the chat.")
    assert len({(call.body or {})["sending_id"] for call in backend.called("send")}) == 1
    assert len(backend.called("send")) == 1
    expect(card.button("Send")).to_be_visible()


def test_an_answer_that_was_lost_is_asked_for_again_by_the_same_id(card: DealCardPage) -> None:
    backend = card.world.backend
    backend.script["send"] = [Answer(502, "<h1>Bad gateway</h1>", carried_out=True)]
    backend.deal |= {"requests": [a_request()]}
    card.open()
    card.button("Send").click()
    card.button("Send now").click()
    expect(card.widget.get_by_role("alert").first).to_be_visible()
    card.button("Send now").click()
    expect(card.button("Send now")).to_be_hidden()
    assert len({(call.body or {})["sending_id"] for call in backend.called("send")}) == 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The product itself, with its worker, behind the card."""
    with threaded(open_world(f"sqlite+aiosqlite:///{tmp_path}/send.db", clock=MovableClock())) as world:
        world.kommo.switches.set("chat_scopes", "present")
        upload_widget(world.kommo, world.integration, world.url, tmp_path)
        yield world


@pytest.mark.own_page
def test_a_rep_sends_the_link_where_it_was_made_and_the_client_s_chat_shows_it(page: Page, world: World) -> None:
    lead = world.first_deal
    client_writes(world.account, lead.id, "Can I pay by card?")
    _open_card(page, world)
    widget = page.locator(".dealpay").first
    widget.get_by_role("button", name="Create Stripe payment").click()
    widget.get_by_label("Description").fill("Website")
    widget.locator("[data-key=submit]").click()
    panel = widget.locator(".dealpay-created")
    panel.locator("[data-key^=send-]").click()
    expect(panel).to_contain_text("In the open chat:")
    expect(panel.locator("blockquote")).to_contain_text("/p/")
    panel.get_by_role("button", name="Send now").dblclick()
    expect(panel).to_have_count(0)
    expect(widget).to_contain_text("Sent in the chat.", timeout=20_000)
    world.clock.advance(121)
    expect(widget).to_contain_text("Sent in the chat, delivered.", timeout=20_000)
    _open_card(page, world)
    said = page.locator(".feed__entry_message")
    expect(said).to_have_count(2)
    expect(said.last).to_contain_text(re.compile(r"Chat \(delivered\).*/p/\w+", re.DOTALL))


def _open_card(page: Page, world: World) -> None:
    page.goto(f"{world.kommo.base_url}/leads/detail/{world.first_deal.id}")
    page.wait_for_selector("html[data-ready=yes]")
