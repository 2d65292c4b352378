"""Our steps in Kommo's designer of bots: what they offer, and what the bot keeps of them."""

import json

import pytest
from playwright.sync_api import Page, expect

from sandbox.kommo.host.designer import designed_in
from tests.automation.bot_steps.saved import EXITS, saved
from tests.browser.rule.test_stage_action import READY
from tests.world import World

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
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    kept = designed_in(shop.kommo)[-1]
    assert json.loads(kept.saved) == json.loads(saved(step, shop.url, **kept.params))
