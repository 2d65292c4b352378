"""The widget's window and page in Kommo's settings."""

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, refusal

pytestmark = pytest.mark.browser


@pytest.fixture
def window(card: DealCardPage) -> DealCardPage:
    card.page.goto(f"{card.world.kommo_url}/settings/widgets")
    card.page.wait_for_selector("html[data-ready=yes]")
    card.page.get_by_role("button", name="Settings").click()
    return card


def test_the_window_says_what_to_do_and_opens_set_up_in_a_new_tab(window: DealCardPage) -> None:
    window.world.backend.always["setup"] = Answer(201, {"url": f"{window.world.kommo_url}/leads?from=setup"})
    with window.page.expect_popup() as popup:
        window.button("Open set-up").click()
    popup.value.wait_for_url("**/leads?from=setup")
    assert popup.value.evaluate("window.opener") is None
    expect(window.widget).to_contain_text("Opened in a new tab.")


def test_a_user_who_may_not_set_up_reads_why(window: DealCardPage) -> None:
    refused = refusal("not_allowed", "Only an administrator of this account may open the set-up.")
    window.world.backend.always["setup"] = Answer(403, refused)
    window.button("Open set-up").click()
    expect(window.widget).to_contain_text("Only an administrator")


def test_a_user_who_may_not_set_up_reads_why_in_their_language(card: DealCardPage) -> None:
    refused = refusal("not_allowed", "Only an administrator of this account may open the set-up.")
    card.world.backend.always["setup"] = Answer(403, refused)
    card.page.goto(f"{card.world.kommo_url}/settings/widgets?lang=es")
    card.page.wait_for_selector("html[data-ready=yes]")
    card.page.get_by_role("button", name="Settings").click()
    card.widget.get_by_role("button").click()
    expect(card.widget).to_contain_text("Tu administrador no te ha dado permiso")


@pytest.mark.own_page
def test_the_message_that_an_admin_saved_is_the_one_copied(window: DealCardPage) -> None:
    window.page.get_by_label("Message for the client").fill("Pay {amount} here: {link} Thanks!")
    window.page.get_by_role("button", name="Save").click()
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.open().begin()
    window.widget.locator("[data-key=submit]").click()
    window.button("Copy message").click()
    expect(window.button("Copied")).to_be_visible()
    url = window.world.backend.deal["requests"][0]["url"]
    assert window.page.evaluate("navigator.clipboard.readText()") == f"Pay €1,200.00 EUR here: {url} Thanks!"


@pytest.mark.parametrize("container", ["work-area", "list_page_holder", "late", "none"])
def test_the_widgets_own_page_shows_the_same(card: DealCardPage, container: str) -> None:
    """Also where neither of Kommo's containers is there, or one comes after the callback."""
    code = card.world.integration.widget_code
    card.page.goto(f"{card.world.kommo_url}/settings/widgets/{code}?container={container}")
    expect(card.button("Open set-up")).to_be_visible()
    expect(card.page.locator(".dealpay-setup")).to_have_count(1)
    assert card.page.locator("[data-dealpay=page]").count() == (container == "none")
