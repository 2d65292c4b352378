"""An administrator adds our action to a stage in Kommo's pipeline; a deal is moved there, and its card has the link."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.world import World

pytestmark = pytest.mark.browser

TITLE, ADD, READY = "Stripe payments", "+ Stripe payments", "Ready. Press Save in Kommo."


def _stage(page: Page, shop: World, place: int = 2, **choices: str) -> Locator:
    query = "&".join(f"{name}={value}" for name, value in choices.items())
    page.goto(f"{shop.kommo_address}/settings/pipeline?{query}")
    page.wait_for_selector("html[data-ready=yes]")
    return page.locator("[data-stage]").nth(place)


def _add(page: Page, shop: World) -> Locator:
    """The stage, to which an administrator has added the action: half of the price."""
    shop.account.triggers.clear()
    stage = _stage(page, shop)
    stage.get_by_role("button", name=ADD).click()
    page.locator("[name=dealpay_amount]").select_option("percent")
    page.get_by_role("textbox", name="Percentage of the price").fill("50")
    page.get_by_label("Description for the client").fill("Half of {deal}")
    page.get_by_label("How the link is sent").select_option("")
    expect(page.locator(".dealpay-rule")).to_have_count(1)
    expect(page.get_by_text(READY)).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(stage.get_by_role("button", name=TITLE, exact=True)).to_be_visible()
    page.wait_for_selector("html[data-ready=yes]")  # the page is loaded again: before its script runs, no button opens
    return stage


@pytest.mark.parametrize("wrapper", ["edit_forms", "fields_wrapper"])
def test_an_action_that_is_added_to_a_stage_asks_the_deals_that_come(page: Page, shop: World, wrapper: str) -> None:
    """In both of Kommo's wrappers, drawn late, and with the callback made twice."""
    shop.kommo.switches.set("dp_form", wrapper)
    account = shop.account
    lead_id = account.add_lead("Sofa", 300, contacts=[account.add_contact("Ann", email="ann@example.com")]).id
    _add(page, shop)
    (action,) = account.triggers
    shop.kommo.person().move_lead(lead_id, action.status_id)
    for _ in range(300):  # the worker is in another thread
        if shop.fields(lead_id).get("STRIPE_PAYMENT_LINK"):
            break
        page.wait_for_timeout(50)
    page.goto(f"{shop.kommo_address}/leads/detail/{lead_id}")
    expect(page.locator(".dealpay").first).to_contain_text("Half of Sofa")
    expect(page.locator(".dealpay").first).to_contain_text("150")


def test_a_form_that_is_cancelled_changes_nothing_and_shows_what_was_saved(page: Page, shop: World) -> None:
    saved = _add(page, shop).get_by_role("button", name=TITLE, exact=True)
    before = shop.account.triggers[0].settings
    saved.click()
    percent = page.get_by_role("textbox", name="Percentage of the price")
    expect(percent).to_have_value("50")
    percent.fill("90")
    percent.blur()
    expect(page.get_by_text(READY)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    saved.click()
    expect(percent).to_have_value("50")
    assert shop.account.triggers[0].settings == before


def test_who_is_no_administrator_reads_why(page: Page, shop: World) -> None:
    rep = shop.account.add_salesperson("Rep", "rep@shop.example")
    _stage(page, shop, user=str(rep.id)).get_by_role("button", name=ADD).click()
    expect(page.get_by_text("Only an administrator of this Kommo account")).to_be_visible()
