"""docs/install.md, step by step in a browser: from a server that knows its own settings only to a paid deal that moved.

With ``INSTALL_SHOTS=folder`` the pictures of that guide are made there.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.stage import upload_widget
from tests.browser.setup.app import go, keep, looks_good, open_setup
from tests.browser.threaded import threaded
from tests.world import ADMIN_TOKEN, World, open_world

pytestmark = pytest.mark.browser
OWN_ONLY = {"kommo_client_id": "", "kommo_client_secret": "", "stripe_api_key": "", "paid_stages": ""}
"""What `init` writes no line for: everything but the server's own."""


@pytest.fixture
def product(tmp_path: Path) -> Iterator[World]:
    """The server is started, and the integration is created in Kommo with its widget (step 1)."""
    url = f"sqlite+aiosqlite:///{tmp_path}/product.db"
    with threaded(open_world(url, connected=False, more=OWN_ONLY)) as found:
        upload_widget(found.kommo, found.integration, found.url, tmp_path)
        yield found


def test_the_guide_leads_from_a_new_server_to_a_paid_deal_in_its_stage(product: World, page: Page) -> None:
    enter_the_keys(product, page)
    install(product, page)
    setup = open_setup(product, page)
    connect_stripe(product, setup)
    choose_the_stage(setup)
    pay_the_first_deal(product, page)
    stage = page.get_by_label("Stage").evaluate("select => select.selectedOptions[0].textContent")
    assert stage == "Paid"
    page.set_viewport_size({"width": 980, "height": 440})
    keep(page, "deal-after")
    go(setup, "Set-up", "Kommo")
    expect(setup.get_by_role("main")).to_contain_text(f"The widget works: user {product.account.admin.name}")
    expect(setup.get_by_role("main")).to_contain_text("The integration's secret key works since")
    setup.get_by_text("Enter a new secret key").press("Enter")
    looks_good(setup, "setup-kommo")


def enter_the_keys(product: World, page: Page) -> None:
    """Step 2, by keyboard: a mistyped secret is saved and not tried, and never called right."""
    page.goto(f"{product.url}/admin")
    expect(page.get_by_role("status")).to_contain_text("This server does not know Kommo's keys yet.")
    looks_good(page, "first-sign-in")
    page.get_by_label("Admin token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page.get_by_role("region", name="Integrations")).to_contain_text("No integration is known yet.")
    for secret in ("mistyped", product.integration.client_secret):
        page.get_by_label("Integration ID").fill(product.integration.client_id)
        page.get_by_label("Secret key").fill(secret)
        page.get_by_label("Account", exact=True).fill(product.account.subdomain)
        page.get_by_role("button", name="Add the integration").press("Enter")
        expect(page.get_by_role("region", name="Integrations")).to_contain_text("not tried yet")
    looks_good(page, "keys")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 980, "height": 560})
    page.get_by_role("region", name="Integrations").scroll_into_view_if_needed()
    keep(page, "keys")


def install(product: World, page: Page) -> None:
    """Step 3, where Kommo's install hook does not come: Connect, and Allow in Kommo."""
    page.get_by_role("link", name=f"Connect {product.integration.client_id}").click()
    page.get_by_role("link", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connected")
    expect(page.get_by_role("main")).to_contain_text("connect Stripe: in Kommo, open the widget's Settings")


def connect_stripe(product: World, setup: Page) -> None:
    """Steps 5 and 6."""
    go(setup, "Set-up", "Stripe")
    setup.get_by_label("Restricted key").fill(product.stripe.default_account.live_secret_key)
    setup.get_by_role("button", name="Connect Stripe").press("Enter")
    expect(setup.get_by_role("status")).to_contain_text("Stripe is connected.")
    go(setup, "Set-up")
    expect(setup.get_by_role("main")).to_contain_text("Ready: clients can pay.")
    setup.set_viewport_size({"width": 980, "height": 760})
    keep(setup, "set-up")


def choose_the_stage(setup: Page) -> None:
    """Step 7."""
    go(setup, "Automation", "Stages")
    paid = setup.get_by_label("When paid in full").first
    paid.select_option(label="Paid")
    expect(setup.get_by_text("Not saved yet")).to_be_visible()
    setup.get_by_role("button", name="Save stages").press("Enter")
    expect(setup.get_by_role("status")).to_contain_text("The stages are saved.")
    expect(paid.locator("option:checked")).to_have_text("Paid")


def pay_the_first_deal(product: World, page: Page) -> None:
    """Steps 9 to 13."""
    page.goto(f"{product.kommo.base_url}/leads/detail/{next(iter(product.account.leads))}")
    card = page.locator(".dealpay")
    button = card.get_by_role("button", name="Create Stripe payment")
    expect(button).to_be_visible()
    keep(page, "deal-before")
    button.click()
    create = card.get_by_role("button", name="Create link for $1,200.00 USD")
    expect(create).to_be_visible()
    keep(page, "form")
    create.click()
    expect(card.get_by_role("link", name="Open")).to_be_visible()
    keep(page, "link")
    with page.expect_popup() as opened:
        card.get_by_role("link", name="Open").click()
    client = opened.value
    client.set_viewport_size({"width": 640, "height": 560})
    keep(client, "checkout")
    client.get_by_role("button", name=re.compile("Pay")).click()
    client.wait_for_url(f"{product.url}/**")
    client.close()
    expect(page.get_by_role("region", name="Feed")).to_contain_text(re.compile(r"pi_\w+"), timeout=15_000)
    card.get_by_role("button", name="Check now").click()
    expect(card.locator(".dealpay-badge").first).to_have_text("Paid")
