"""What is chosen on the set-up pages, by name and by keyboard; the whole way there is in ``test_guide``."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.setup.app import go, looks_good, open_setup
from tests.browser.setup.app import product as product
from tests.world import ADMIN_TOKEN, World

pytestmark = pytest.mark.browser


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
    expect(by_id).to_have_accessible_description(re.compile("does not return the names"))
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
    key = page.get_by_label(f"Secret key, {wanted.client_id}")
    key.fill("mistyped")
    key.press("Enter")
    expect(key).to_have_accessible_description(re.compile("does not accept the secret key"))
    page.locator("summary", has_text=f"Another Redirect URL, {wanted.client_id}").press("Enter")
    expect(page.get_by_label(f"Redirect URL, {wanted.client_id}", exact=True)).to_be_visible()
    looks_good(page, "waiting")
    key.fill(wanted.client_secret)
    key.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The account is connected.")
    expect(page.get_by_label(f"Secret key, {wanted.client_id}")).to_have_count(0)
