"""Our steps in Kommo's designer of bots: what they offer, and what the bot keeps of them."""

import json

import httpx
import pytest
from playwright.sync_api import Page, expect

from sandbox.kommo.host.designer import designed_in
from tests.automation.bot_steps.saved import EXITS, saved
from tests.browser.rule.test_stage_action import READY
from tests.world import ADMIN, World

pytestmark = pytest.mark.browser
TITLES = {"payment_link": "Stripe: payment link", "is_it_paid": "Stripe: is it paid?"}


@pytest.mark.parametrize("step", list(EXITS))
def test_a_step_offers_its_exits_and_is_kept_as_kommo_runs_it(page: Page, shop: World, step: str) -> None:
    page.goto(f"{shop.kommo_address}/settings/salesbot")
    page.wait_for_selector("html[data-ready=yes]")
    page.get_by_role("button", name=TITLES[step]).click()
    for name in EXITS[step]:
        expect(page.locator(f"[data-exit={name}]")).to_be_visible()
    if step == "payment_link":
        page.locator("[name=dealpay_hours]").fill("5")
        page.locator("[name=dealpay_hours]").blur()
        expect(page.get_by_text(READY)).to_be_visible()
    else:
        expect(page.locator("[data-field-name=wait_hours]")).to_be_hidden()
        expect(page.locator("[name=dealpay_wait_hours]")).to_have_count(0)
    _save(page)
    kept = designed_in(shop.kommo)[-1]
    assert json.loads(kept.saved) == json.loads(saved(step, shop.url, **kept.params))


def test_the_wait_for_the_payment_is_offered_where_an_admin_allows_it(page: Page, shop: World) -> None:
    options = f"{shop.url}/admin/api/accounts/{shop.account.id}/options"
    assert httpx.put(options, json={"bot_waits": True}, headers=ADMIN, trust_env=False).status_code == 200
    page.goto(f"{shop.kommo_address}/settings/salesbot")
    page.wait_for_selector("html[data-ready=yes]")
    page.get_by_role("button", name=TITLES["is_it_paid"]).click()
    hours = page.locator("[name=dealpay_wait_hours]")
    expect(page.get_by_text("While the bot waits, Kommo runs no other bot")).to_be_visible()
    for typed, shown in (("soon", ""), ("900", "72"), ("24", "24")):
        hours.fill(typed)
        hours.blur()
        expect(hours).to_have_value(shown)
    _save(page)
    kept = designed_in(shop.kommo)[-1]
    assert kept.params == {"wait_hours": "24"}
    assert json.loads(kept.saved) == json.loads(saved("is_it_paid", shop.url, wait_hours="24"))


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
