"""*Ask for what is open* in Kommo's list of deals: seen first, confirmed once, left and found again."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.axe import violations
from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, refusal
from tests.world import World

pytestmark = pytest.mark.browser
ROWS = [
    {"lead_id": 11, "name": "Website for Ana", "amount": "1200.00 USD", "why": ""},
    {"lead_id": 12, "name": "Training for Bob", "amount": "350.00 USD", "why": ""},
    {"lead_id": 13, "name": "Consulting for Chen", "amount": "", "why": "The deal has no price."},
]


def _progress(asked: int, not_asked: int = 0, total: int = 2) -> Answer:
    left = total - asked - not_asked
    return Answer(200, {"total": total, "asked": asked, "not_asked": not_asked, "left": left})


def _open_list(page: Page, address: str, ticks: int = 3, **choices: str) -> Locator:
    """The window over Kommo's list, in which the first deals are ticked."""
    query = "&".join(f"{name}={value}" for name, value in choices.items())
    page.goto(f"{address}/leads?{query}")
    page.wait_for_selector("html[data-ready=yes]")
    for place in range(ticks):
        page.locator("[data-lead]").nth(place).check()
    return _choose(page)


def _choose(page: Page) -> Locator:
    page.locator("[data-list-action]").click()
    return page.get_by_role("dialog")


def _keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("WIDGET_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.jpg", type="jpeg", quality=85)


def test_what_would_be_asked_is_seen_first_confirmed_once_and_found_again(card: DealCardPage) -> None:
    page, backend = card.page, card.world.backend
    backend.always["list_preview"] = Answer(200, {"rows": ROWS})
    window = _open_list(page, card.world.kommo_url)
    rows = window.get_by_role("listitem")
    expect(rows).to_have_text(
        [re.compile(r"Website for Ana.*\$1,200\.00 USD"), re.compile("350"), re.compile("The deal has no price")]
    )
    ticked = [
        int(one) for one in page.locator("[data-lead]:checked").evaluate_all("all => all.map(x => x.dataset.lead)")
    ]
    assert backend.called("list_preview")[0].body == {"lead_ids": ticked}
    assert violations(page, "dialog") == []
    _keep_picture(page, "list-preview")
    page.keyboard.press("Escape")
    expect(window).to_have_count(0)
    assert backend.called("list_run") == []

    _choose(page)
    window.get_by_label("Send the links to the clients too").focus()
    page.keyboard.press("Space")
    backend.script["list_run"] = [Answer(502, "<h1>Bad gateway</h1>", seconds=0.1)]
    window.get_by_role("button", name="Create links: 2").dblclick()
    expect(window.get_by_role("alert")).to_be_visible()
    backend.always["list_run"] = _progress(0)
    backend.always["list_progress"] = _progress(1)
    window.get_by_role("button", name="Create links: 2").press("Enter")
    expect(window).to_contain_text("1 of 2 deals done")
    bodies = [call.body or {} for call in backend.called("list_run")]
    assert [(body["lead_ids"], body["send"]) for body in bodies] == [([11, 12], True)] * 2
    assert len({body["run_id"] for body in bodies}) == 1, "an answer that was lost is asked for by the same id"
    assert violations(page, "dialog") == []
    _keep_picture(page, "list-progress")
    window.get_by_role("button", name="Close").click()
    expect(window).to_have_count(0)

    _open_list(page, card.world.kommo_url, 1)
    expect(window).to_contain_text("1 of 2 deals done")
    backend.always["list_progress"] = _progress(1, 1)
    expect(window).to_contain_text("Links ready: 1. Not asked: 1.")
    window.get_by_role("button", name="Done").click()
    _choose(page)
    expect(rows).to_have_count(3)


@pytest.mark.parametrize("language", ["en", "es", "pt", "tr", "id"])
def test_the_window_speaks_the_language_of_the_page_in_light_and_dark(card: DealCardPage, language: str) -> None:
    page, backend = card.page, card.world.backend
    backend.always["list_preview"] = Answer(200, {"rows": ROWS})
    theme = "dark" if language in ("en", "pt") else "light"
    window = _open_list(page, card.world.kommo_url, lang=language, theme=theme)
    expect(window.get_by_role("listitem")).to_have_count(3)
    said = window.inner_text()
    assert violations(page, "dialog") == []
    backend.always |= {"list_run": _progress(1), "list_progress": _progress(1, 1)}
    window.locator("[data-key=ask]").click()
    said += window.inner_text()
    expect(window.locator("[data-key=done]")).to_be_visible()
    assert not re.search(r"\bbulk\.[a-z_]+|[{}]", said + window.inner_text())


def test_a_run_that_never_reached_the_backend_is_begun_anew(card: DealCardPage) -> None:
    page, backend = card.page, card.world.backend
    backend.always["list_preview"] = Answer(200, {"rows": ROWS})
    backend.script["list_run"] = [Answer(502, "<h1>Bad gateway</h1>")]
    backend.always["list_progress"] = Answer(404, refusal("not_found", "There is no such run."))
    window = _open_list(page, card.world.kommo_url)
    window.locator("[data-key=ask]").click()
    expect(window.get_by_role("alert")).to_be_visible()
    window = _open_list(page, card.world.kommo_url)
    expect(window.get_by_role("listitem")).to_have_count(3)


def _linked(shop: World, lead_id: int) -> Any:
    return shop.fields(lead_id).get("STRIPE_PAYMENT_LINK")


def test_selected_deals_get_a_link_each(page: Page, shop: World) -> None:
    """With the product itself behind the window."""
    account = shop.account
    contacts = [account.add_contact("Ann", email="ann@example.com")]
    sofa, lamp = account.add_lead("Sofa", 300, contacts=contacts).id, account.add_lead("Lamp", 0, contacts=contacts).id
    page.goto(f"{shop.kommo_address}/leads")
    page.wait_for_selector("html[data-ready=yes]")
    for lead_id in (sofa, lamp):
        page.locator(f"[data-lead='{lead_id}']").check()
    window = _choose(page)
    expect(window).to_contain_text("The deal has no price.")
    window.get_by_role("button", name="Create links: 1").click()
    expect(window).to_contain_text("Links ready: 1.", timeout=20_000)
    for _ in range(200):  # the worker is in another thread
        if _linked(shop, sofa):
            break
        page.wait_for_timeout(50)
    assert _linked(shop, sofa)
    assert not _linked(shop, lamp)
