"""Kommo destroys, draws again and changes deals as it likes; the widget follows, and leaves nothing behind."""

import pytest
from playwright.sync_api import expect

from sandbox.kommo.host.installed import shelf_of
from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import NO_DEAL, Answer, Json, a_request, money

pytestmark = pytest.mark.browser

WAYS = ["new", "render", "rebuilt", "silent"]
"""Destroyed and constructed anew; rendered again; the same with an empty panel; not told at all."""


def two_deals(card: DealCardPage) -> tuple[int, int]:
    """Two deals, each with one link whose description tells them apart."""
    first, second = card.world.leads[:2]
    for lead_id, name in ((first, "First deal's link"), (second, "Second deal's link")):
        card.world.backend.deals[lead_id] = dict(NO_DEAL) | {"requests": [a_request(lead_id, description=name)]}
    return first, second


@pytest.mark.parametrize("way", WAYS)
def test_another_deal_is_shown_however_kommo_goes_there(card: DealCardPage, way: str) -> None:
    first, second = two_deals(card)
    card.open(first)
    expect(card.widget).to_contain_text("First deal's link")
    card.host(f"switchTo({second}, '{way}')")
    expect(card.widget).to_contain_text("Second deal's link")
    expect(card.widget).not_to_contain_text("First deal's link")
    card.host(f"switchTo({first}, '{way}')")
    expect(card.widget).to_contain_text("First deal's link")


@pytest.mark.parametrize("way", WAYS)
def test_a_late_answer_is_not_painted_into_another_deals_card(card: DealCardPage, way: str) -> None:
    first, second = two_deals(card)
    card.world.backend.script["deal"] = [Answer(seconds=1.5)]
    card.open(first)
    expect(card.widget.locator(".dealpay-loading")).to_be_visible()
    card.host(f"switchTo({second}, '{way}')")
    expect(card.widget).to_contain_text("Second deal's link")
    card.page.wait_for_timeout(1600)
    expect(card.widget).to_contain_text("Second deal's link")
    expect(card.widget).not_to_contain_text("First deal's link")


def test_a_request_under_way_is_found_again_by_the_next_card_of_the_deal(card: DealCardPage) -> None:
    card.world.backend.always["create"] = Answer(seconds=1)
    card.open().begin()
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget).to_contain_text("Creating…")
    card.host(f"switchTo({card.world.leads[0]}, 'new')")
    expect(card.widget).to_contain_text("Creating…")
    expect(card.widget.get_by_role("heading", name="The link is ready")).to_be_visible()
    assert len(card.world.backend.called("create")) == 1


def test_what_was_typed_survives_a_card_drawn_anew(card: DealCardPage) -> None:
    card.open().begin()
    card.field("Amount").fill("77")
    card.host(f"switchTo({card.world.leads[0]}, 'new')")
    expect(card.field("Amount")).to_have_value("77")


def test_a_second_render_in_the_same_card_changes_nothing(card: DealCardPage) -> None:
    card.open().begin()
    card.field("Amount").fill("77")
    card.host("renderAll()")
    expect(card.field("Amount")).to_have_value("77")
    expect(card.field("Amount")).to_be_focused()
    assert card.page.locator(".dealpay").count() == 1


@pytest.mark.own_page
def test_a_form_is_not_sent_into_another_deal(card: DealCardPage) -> None:
    first, second = two_deals(card)
    card.page.clock.install()
    card.open(first).begin()
    card.page.clock.pause_at(card.page.evaluate("Date.now() + 100"))
    card.host(f"switchTo({second}, 'silent')")
    card.widget.locator("[data-key=submit]").click()
    assert card.world.backend.called("create") == []


def test_a_new_deal_gets_its_card_when_it_is_saved(card: DealCardPage) -> None:
    card.open(0)
    expect(card.widget).to_contain_text("Save the deal first")
    card.page.get_by_label("Deal name").fill("Fresh")
    card.page.get_by_role("button", name="Save").click()
    expect(card.button("Create Stripe payment")).to_be_visible()
    assert len(card.world.backend.called("deal")) == 1


@pytest.mark.own_page
def test_nothing_is_left_after_destroy(card: DealCardPage) -> None:
    card.page.clock.install()
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open().begin()
    card.host("destroyAll()")
    calls = len(card.world.backend.calls)
    card.page.clock.run_for(30_000)
    assert card.page.locator(".dealpay").count() == 0
    assert card.page.locator("style[id]").count() == 1
    assert card.host("documentListeners().length") == 0
    assert len(card.world.backend.calls) == calls


@pytest.mark.own_page
def test_no_listener_of_the_document_outlives_the_card(card: DealCardPage) -> None:
    card.page.add_init_script(
        """window.counted = 0;
        const [add, remove] = [document.addEventListener, document.removeEventListener];
        document.addEventListener = function (...given) { window.counted += 1; add.apply(this, given); };
        document.removeEventListener = function (...given) { window.counted -= 1; remove.apply(this, given); };"""
    )
    card.open().begin()
    card.host("destroyAll()")
    left = card.page.evaluate("window.counted")
    card.host("loadArea('lcard')")
    card.host("destroyAll()")
    assert card.page.evaluate("window.counted") == left == 0


def test_the_widget_adds_nothing_to_the_window(card: DealCardPage) -> None:
    shelf = shelf_of(card.world.kommo)
    installed = shelf.pop(card.world.integration.client_id)
    card.open()
    without = card.page.evaluate("Object.keys(window).sort()")
    shelf[card.world.integration.client_id] = installed
    card.open().begin()
    assert card.page.evaluate("Object.keys(window).sort()") == without


def test_the_style_is_there_once_after_many_cards(card: DealCardPage) -> None:
    first, second = two_deals(card)
    card.open(first)
    for lead_id in (second, first, second):
        card.host(f"switchTo({lead_id}, 'new')")
    expect(card.widget).to_contain_text("Second deal's link")
    assert card.page.locator("#dealpay-style").count() == 1


def test_a_collapsed_panel_asks_for_nothing(card: DealCardPage) -> None:
    card.open(panel="closed")
    card.page.wait_for_timeout(300)
    assert card.world.backend.calls == []
    card.page.get_by_role("button", name="Widgets").click()
    expect(card.button("Create Stripe payment")).to_be_visible()


@pytest.mark.own_page
def test_an_open_payment_is_looked_after_until_it_is_paid(card: DealCardPage) -> None:
    card.page.clock.install()
    card.world.backend.deal |= {"requests": [a_request()], "expected": [money("120.00")]}
    card.open()
    expect(card.widget.locator(".dealpay-badge").first).to_have_text("Waiting")
    paid = {"state": "paid", "paid": [money("120.00")], "requests": [a_request(state="paid")]}
    card.world.backend.deal = card.world.backend.deal | paid
    card.page.clock.run_for(7_000)
    expect(card.widget.locator(".dealpay-badge").first).to_have_text("Paid")
    calls = len(card.world.backend.calls)
    card.page.clock.run_for(60_000)
    assert len(card.world.backend.calls) == calls


@pytest.mark.own_page
def test_a_failed_payment_that_can_still_be_paid_is_looked_after_too(card: DealCardPage) -> None:
    card.page.clock.install()
    card.world.backend.deal |= {"state": "failed", "requests": [a_request(state="failed")]}
    card.open()
    expect(card.widget.locator(".dealpay-badge").first).to_have_text("Failed")
    card.world.backend.deal = card.world.backend.deal | {"state": "paid", "requests": [a_request(state="paid")]}
    card.page.clock.run_for(7_000)
    expect(card.widget.locator(".dealpay-badge").first).to_have_text("Paid")


@pytest.mark.own_page
def test_a_hidden_tab_does_not_refresh(card: DealCardPage) -> None:
    card.page.clock.install()
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    expect(card.widget).to_contain_text("Waiting")
    card.page.evaluate(
        """() => {
          Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    calls = len(card.world.backend.calls)
    card.page.clock.run_for(60_000)
    assert len(card.world.backend.calls) == calls


def test_a_rep_who_comes_back_to_the_tab_sees_the_news_at_once(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    expect(card.widget).to_contain_text("Waiting")
    card.world.backend.deal = card.world.backend.deal | {"requests": [a_request(state="paid")], "state": "paid"}
    for state in ("hidden", "visible"):
        card.page.evaluate(
            """state => {
              Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
              document.dispatchEvent(new Event('visibilitychange'));
            }""",
            state,
        )
    expect(card.widget.locator(".dealpay-badge").first).to_have_text("Paid", timeout=900)


def test_a_dead_backend_is_tried_again_by_hand(card: DealCardPage) -> None:
    card.world.backend.script["deal"] = [Answer(502, "<h1>Bad gateway</h1>")]
    card.open()
    expect(card.widget.get_by_role("alert")).to_contain_text("The payment service does not answer")
    card.button("Try again").click()
    expect(card.button("Create Stripe payment")).to_be_visible()


@pytest.mark.parametrize("body", [{}, {"requests": None}, {"error": {}}])
def test_an_answer_that_is_no_deal_is_as_good_as_none(card: DealCardPage, body: Json) -> None:
    card.world.backend.script["deal"] = [Answer(200, body)]
    card.open()
    card.button("Try again").click()
    expect(card.button("Create Stripe payment")).to_be_visible()


def test_a_backend_that_comes_back_is_noticed_without_a_hand(card: DealCardPage) -> None:
    card.world.backend.script["deal"] = [Answer(502, "<h1>Bad gateway</h1>")]
    card.open()
    expect(card.button("Try again")).to_be_visible()
    card.later(6)
    expect(card.button("Create Stripe payment")).to_be_visible()


@pytest.mark.own_page
def test_a_refresh_that_fails_keeps_what_was_known_and_tries_less_often(card: DealCardPage) -> None:
    card.page.clock.install()
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    expect(card.widget).to_contain_text("Website for Ana")
    card.world.backend.always["deal"] = Answer(500, "<h1>Bad</h1>")
    card.page.clock.run_for(6_000)
    expect(card.widget.get_by_role("alert")).to_contain_text("can't be reached")
    expect(card.widget).to_contain_text("Website for Ana")
    calls = len(card.world.backend.called("deal"))
    for _ in range(12):
        card.page.clock.run_for(5_000)
        card.page.wait_for_timeout(30)
    assert len(card.world.backend.called("deal")) - calls <= 5


def test_a_style_of_another_widget_does_not_reach_ours(card: DealCardPage) -> None:
    card.open().begin()
    before = _places(card)
    hostile = "button, input, select, label, p { font-size: 31px; margin: 19px; padding: 17px; float: right } "
    card.page.add_style_tag(content=hostile + ".km-form, .btn, .row, .link { display: none }")
    assert _places(card) == before


def _places(card: DealCardPage) -> list[list[object]]:
    """Where every node that is seen stands within the widget, and how large its letters are."""
    return list(
        card.widget.evaluate(
            """root => [...root.querySelectorAll('*')].filter(node => node.offsetWidth > 0).map(node => {
              const [box, edge] = [node.getBoundingClientRect(), root.getBoundingClientRect()];
              const places = [box.x - edge.x, box.y - edge.y, box.width, box.height].map(Math.round);
              return [node.className, getComputedStyle(node).fontSize, ...places];
            })"""
        )
    )


def test_an_integration_without_tokens_says_what_to_do(card: DealCardPage) -> None:
    card.open(ajax="absent")
    expect(card.widget).to_contain_text("must install the integration again")
