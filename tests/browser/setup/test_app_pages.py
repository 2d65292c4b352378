"""Every page of the admin's app as its users see it: with money in it, refused, and signed out."""

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.setup.app import go, looks_good, open_setup
from tests.browser.setup.app import product as product
from tests.world import World

pytestmark = pytest.mark.browser
PLACES = (
    "automation", "automation/stages", "automation/sending", "automation/reminders", "automation/bots",
    "setup", "setup/kommo", "setup/stripe", "setup/rights", "setup/business", "setup/test",
    "events", "events/log", "events/sessions",
)  # fmt: skip


def asked(product: World, page: Page, **more: Any) -> str:
    """A rep's link."""
    known: dict[str, Any] = {
        "request_id": str(uuid.uuid4()), "lead_id": next(iter(product.account.leads)), "amount": "480.00",
        "currency": "USD", "description": "Oak table, six chairs", "mode": "payment",
    }  # fmt: skip
    answer = page.request.post(f"{product.url}/widget/requests", headers=product.token(), data=known | more)
    assert answer.ok, answer.text()
    return str(answer.json()["url"])


def paid(product: World, page: Page, **more: Any) -> None:
    answer = page.request.get(asked(product, page, **more), max_redirects=0)
    session = answer.headers["location"].rpartition("/")[2].partition("#")[0]
    product.stripe.pay_session(session)


def a_shop_with_money(product: World, page: Page) -> None:
    first, other = product.account.add_lead("Garden house", 20).id, product.account.add_lead("Sofa for Vera", 20).id
    paid(product, page, lead_id=first)
    paid(product, page, lead_id=other, amount="1250.50", description="Sofa, first part")
    paid(product, page, lead_id=other, amount="90.00", currency="EUR", description="Delivery")
    asked(product, page, lead_id=other, amount="1250.50", description="Sofa, second part")


def test_the_pages_shut_nobody_out_and_fit_each_screen(product: World, page: Page) -> None:
    a_shop_with_money(product, page)
    setup = open_setup(product, page)
    heard: list[str] = []
    setup.on("console", lambda message: heard.append(message.text))
    last = setup.get_by_role("region", name="Last payments")
    for _ in range(100):
        if last.get_by_role("listitem").count() == 3:
            break
        setup.wait_for_timeout(100)
        setup.reload()
    expect(last.get_by_role("listitem")).to_have_count(3)
    looks_good(setup, "overview")
    go(setup, "Payments")
    expect(setup.get_by_role("row")).to_have_count(8)  # two currencies, four lines, and the heads of both
    looks_good(setup, "payments")
    setup.get_by_label("Search").fill("vera")
    setup.get_by_label("Search").press("Enter")
    expect(setup.get_by_role("table").last.get_by_role("row")).to_have_count(4)
    setup.get_by_role("link", name=re.compile("^History ?: pi_")).first.click()
    expect(setup.get_by_role("heading", name="What happened")).to_be_visible()
    looks_good(setup, "story")
    lead_id = next(iter(product.account.leads))
    for place in (*PLACES, f"deal?deal={lead_id}"):
        setup.goto(f"{product.url}/admin/{place}")
        looks_good(setup, place.partition("?")[0].replace("/", "-"))
    go(setup, "Events")
    setup.get_by_role("link", name=re.compile("^View ?: evt_")).first.click()
    expect(setup.get_by_text("Nothing: all that it says is known.")).to_be_visible()
    looks_good(setup, "event")
    go(setup, "Set-up", "Stripe")
    setup.get_by_label("Restricted key").fill("not a key")
    setup.get_by_role("button", name="Connect Stripe").click()
    key = setup.get_by_label("Restricted key")
    expect(key).to_have_accessible_description(re.compile("must begin with rk_live_"))
    expect(key).to_be_focused()
    looks_good(setup, "refused")
    setup.get_by_role("button", name="Sign out", exact=True).click()
    expect(setup.get_by_label("Admin token")).to_be_visible()
    looks_good(setup, "signed-out")
    assert [said for said in heard if "Failed to load resource" not in said] == []
