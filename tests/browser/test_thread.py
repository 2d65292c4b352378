"""The main job as three people see it: a rep presses the button, a client pays, the deal card says so by itself."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.stage import upload_widget
from tests.browser.threaded import threaded
from tests.world import World, open_world

pytestmark = pytest.mark.browser


@pytest.fixture
def product(tmp_path: Path) -> Iterator[World]:
    """The whole product between the two local worlds, its widget installed in Kommo."""
    with threaded(open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db")) as found:
        upload_widget(found.kommo, found.integration, found.url, tmp_path)
        yield found


def test_from_the_button_to_a_paid_deal(product: World, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(product.kommo.base_url)
    page.get_by_role("row").filter(has_text="Website for Ana").click()
    card = page.locator(".dealpay")
    card.get_by_role("button", name="Create Stripe payment").click()
    card.get_by_role("button", name="Create link for $1,200.00 USD").click()
    with page.expect_popup() as opened:
        card.get_by_role("link", name="Open").click()
    client = opened.value
    client.get_by_role("button", name=re.compile("Pay")).click()
    client.wait_for_url(f"{product.url}/**")
    client.close()
    expect(card.locator(".dealpay-badge").first).to_have_text("Paid", timeout=15_000)
    expect(card.get_by_role("listitem")).to_contain_text(re.compile(r"\$1,200\.00 USD.*Ada Admin", re.DOTALL))
    facts = page.get_by_role("region", name="Deal")
    expect(facts).to_contain_text("Paid")
    expect(page.get_by_role("region", name="Feed")).to_contain_text(re.compile(r"pi_\w+"))
    expect(page.get_by_label("Stage")).to_have_value(re.compile(r"\d+"))
    stage = page.get_by_label("Stage").evaluate("select => select.selectedOptions[0].textContent")
    assert stage == "Paid"
    if folder := os.environ.get("WIDGET_SHOTS"):
        page.screenshot(path=Path(folder) / "thread.png")


def test_a_rep_cancels_a_link_and_the_client_reads_so(product: World, page: Page) -> None:
    lead_id = next(iter(product.account.leads))
    page.goto(f"{product.kommo.base_url}/leads/detail/{lead_id}")
    card = page.locator(".dealpay")
    card.get_by_role("button", name="Create Stripe payment").click()
    card.get_by_role("button", name="Create link for").click()
    link = card.get_by_role("link", name="Open").get_attribute("href") or ""
    card.get_by_role("button", name="Done").click()
    card.get_by_role("button", name="Cancel").click()
    card.get_by_role("button", name="Cancel link").click()
    expect(card.get_by_text("Earlier links (1)")).to_be_visible()
    page.goto(link)
    expect(page.locator("body")).to_contain_text(re.compile("cancel", re.IGNORECASE))


def test_a_refusal_of_the_backend_stands_at_its_field(product: World, page: Page) -> None:
    lead_id = next(iter(product.account.leads))
    page.goto(f"{product.kommo.base_url}/leads/detail/{lead_id}")
    card = page.locator(".dealpay")
    card.get_by_role("button", name="Create Stripe payment").click()
    card.get_by_label("Amount").fill("0.10")
    card.get_by_role("button", name="Create link for").click()
    expect(card.get_by_label("Amount")).to_have_accessible_description(re.compile("0.50"))
