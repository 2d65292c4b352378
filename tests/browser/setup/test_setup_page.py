"""From Kommo's settings window to the set-up page, and from what is chosen there to a deal that moves.

With ``INSTALL_SHOTS=folder`` the pictures of docs/install.md are made there.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from backend import widget_archive
from sandbox.kommo.host import install_widget
from tests.axe import violations
from tests.browser.threaded import threaded
from tests.world import ADMIN_TOKEN, World, open_world

pytestmark = pytest.mark.browser
LOOKS = [(width, theme) for width in (320, 1280) for theme in ("light", "dark")]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[World]:
    """Installed, and no stage chosen yet."""
    with threaded(open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", more={"paid_stages": ""})) as found:
        built = widget_archive.build(widget_archive.find_sources(), found.url, tmp_path / "widget.zip")
        install_widget(found.kommo, found.integration.client_id, built.content)
        yield found


def open_setup(product: World, page: Page) -> Page:
    """The page that Kommo's settings window opens in a new tab."""
    page.set_viewport_size({"width": 980, "height": 560})
    page.goto(f"{product.kommo.base_url}/settings/widgets")
    page.wait_for_selector("html[data-ready=yes]")
    page.get_by_role("button", name="Settings").click()
    button = page.get_by_role("button", name="Open set-up")
    expect(button).to_be_visible()
    keep(page, "open-set-up")
    with page.expect_popup() as opened:
        button.click()
    setup = opened.value
    setup.get_by_role("button", name=f"Open the set-up of {product.account.subdomain}").click()
    setup.wait_for_url(f"{product.url}/admin")
    setup.set_viewport_size({"width": 560, "height": 760})
    return setup


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
    expect(setup.get_by_role("main")).to_contain_text(f"Widget alive: user {product.account.admin.name}")
    paid = setup.get_by_label("On paid in full").first
    paid.select_option(label="Paid")
    keep(setup, "set-up")
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
    expect(setup.get_by_role("status")).to_contain_text("The options are saved.")
    expect(users.get_by_label("Sam Sales")).to_be_checked()
    expect(setup.get_by_role("region", name="Last changes")).to_contain_text("refunds Sam Sales")
    product.kommo.faults.add("503_html", "/api/v4/users$", times=0)
    setup.reload()
    by_id = setup.get_by_label("May refund: only these users")
    expect(by_id).to_have_value(str(next(user.id for user in product.account.users.values() if not user.is_admin)))
    expect(by_id).to_have_accessible_description(re.compile("does not tell the names"))
    looks_good(setup, "users-by-id")


def test_the_page_shuts_nobody_out_and_fits_each_screen(product: World, page: Page) -> None:
    setup = open_setup(product, page)
    heard: list[str] = []
    setup.on("console", lambda message: heard.append(message.text))
    lead_id = next(iter(product.account.leads))
    setup.goto(f"{product.url}/admin?deal={lead_id}")
    looks_good(setup, "page")
    setup.get_by_label("Restricted key").fill("not a key")
    setup.get_by_role("button", name="Connect Stripe").click()
    expect(setup.get_by_label("Restricted key")).to_have_accessible_description(re.compile("begins with rk_live_"))
    looks_good(setup, "refused")
    setup.get_by_role("button", name="Sign out", exact=True).click()
    expect(setup.get_by_label("Admin token")).to_be_visible()
    looks_good(setup, "signed-out")
    assert [said for said in heard if "Failed to load resource" not in said] == []


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


def looks_good(page: Page, name: str) -> None:
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        keep(page, f"look-{name}-{width}-{theme}", full_page=True)


def keep(page: Page, name: str, *, full_page: bool = False) -> None:
    if folder := os.environ.get("INSTALL_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)
