"""From Kommo's settings window to the set-up page, and from what is chosen there to a deal that moves.

With ``INSTALL_SHOTS=folder`` the pictures of docs/install.md are made there.
"""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.setup.app import go, keep, looks_good, open_setup
from tests.browser.setup.app import product as product
from tests.world import ADMIN_TOKEN, World

pytestmark = pytest.mark.browser


def pay_the_first_deal(product: World, page: Page) -> None:
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


def test_a_stage_chosen_in_the_set_up_is_where_a_paid_deal_goes(product: World, page: Page) -> None:
    setup = open_setup(product, page)
    go(setup, "Set-up")
    expect(setup.get_by_role("main")).to_contain_text("Ready: clients can pay.")
    setup.set_viewport_size({"width": 980, "height": 760})
    keep(setup, "set-up")
    go(setup, "Kommo")
    expect(setup.get_by_role("main")).to_contain_text(f"The widget works: user {product.account.admin.name}")
    go(setup, "Automation", "Stages")
    paid = setup.get_by_label("When paid in full").first
    paid.select_option(label="Paid")
    expect(setup.get_by_text("Not saved yet")).to_be_visible()
    setup.get_by_role("button", name="Save stages").press("Enter")
    expect(setup.get_by_role("status")).to_contain_text("The stages are saved.")
    expect(paid.locator("option:checked")).to_have_text("Paid")
    pay_the_first_deal(product, page)
    stage = page.get_by_label("Stage").evaluate("select => select.selectedOptions[0].textContent")
    assert stage == "Paid"
    page.set_viewport_size({"width": 980, "height": 440})
    keep(page, "deal-after")


def test_the_users_who_may_refund_are_chosen_by_name_and_by_keyboard(product: World, page: Page) -> None:
    product.account.add_user("Vera Vice", "vera@acme.example", is_active=False)
    setup = open_setup(product, page)
    go(setup, "Set-up", "Permissions")
    users = setup.get_by_role("group", name="May refund: only these users")
    expect(users).to_be_hidden()
    who = setup.get_by_label("May refund", exact=True)
    who.select_option(label="Only the users below")
    expect(users.get_by_label("Vera Vice")).to_have_accessible_name("Vera Vice (inactive in Kommo)")
    looks_good(setup, "users")
    who.press("Tab")
    setup.keyboard.press("Tab")
    expect(users.get_by_label("Sam Sales")).to_be_focused()
    setup.keyboard.press("Space")
    setup.keyboard.press("Enter")
    expect(setup.get_by_role("status")).to_contain_text("The permissions are saved.")
    expect(users.get_by_label("Sam Sales")).to_be_checked()
    go(setup, "Events")
    expect(setup.get_by_role("region", name="Last changes")).to_contain_text("refunds Sam Sales")
    go(setup, "Set-up", "Permissions")
    product.kommo.faults.add("503_html", "/api/v4/users$", times=0)
    setup.reload()
    by_id = setup.get_by_label("May refund: only these users")
    expect(by_id).to_have_value(str(next(user.id for user in product.account.users.values() if not user.is_admin)))
    expect(by_id).to_have_accessible_description(re.compile("does not tell the names"))
    looks_good(setup, "users-by-id")


def test_what_waits_for_its_secret_key_is_connected_by_keyboard_alone(product: World, page: Page) -> None:
    made = [product.kommo.add_integration(product.account, product.integration.redirect_uri) for _ in range(2)]
    for one in made:
        given = {"code": product.kommo.issue_code(one.client_id), "client_id": one.client_id, "from_widget": "1",
                 "referer": product.kommo.host_of(product.account)}  # fmt: skip
        page.request.get(f"{product.url}/oauth/kommo/callback?{urlencode(given)}")
    page.goto(f"{product.url}/admin")
    page.get_by_label("Admin token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Sign in").press("Enter")
    page.get_by_role("link", name="An installation waits for you").press("Enter")
    wanted = made[1]
    key = page.get_by_label(f"Secret key of {wanted.client_id}")
    key.fill("mistyped")
    key.press("Enter")
    expect(key).to_have_accessible_description(re.compile("does not accept the secret key"))
    page.locator("summary", has_text=f"Another Redirect URL of {wanted.client_id}").press("Enter")
    expect(page.get_by_label(f"Redirect URL of {wanted.client_id}", exact=True)).to_be_visible()
    looks_good(page, "waiting")
    key.fill(wanted.client_secret)
    key.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The account is connected.")
    expect(page.get_by_label(f"Secret key of {wanted.client_id}")).to_have_count(0)
