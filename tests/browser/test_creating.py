"""From the button to the link: what is sent, what is said, and that nothing is ever sent twice."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, a_request, money, refusal

pytestmark = pytest.mark.browser


def submit(card: DealCardPage) -> Locator:
    return card.widget.locator("[data-key=submit]")


def link_ready(card: DealCardPage) -> Locator:
    return card.widget.get_by_role("heading", name="The link is ready")


def sent(card: DealCardPage) -> dict[str, object]:
    (call,) = card.world.backend.called("create")
    return call.body or {}


def test_a_double_click_sends_once(card: DealCardPage) -> None:
    card.world.backend.always["create"] = Answer(seconds=0.3)
    card.open().begin()
    submit(card).dblclick()
    expect(link_ready(card)).to_be_visible()
    assert len(card.world.backend.called("create")) == 1


def test_enter_sends_once_however_often_it_is_pressed(card: DealCardPage) -> None:
    card.world.backend.always["create"] = Answer(seconds=0.3)
    card.open().begin()
    for _ in range(3):
        card.page.keyboard.press("Enter")
    expect(link_ready(card)).to_be_visible()
    assert len(card.world.backend.called("create")) == 1


def test_enter_that_is_held_too_long_opens_the_form_and_does_not_send_it(card: DealCardPage) -> None:
    card.open()
    card.button("Create Stripe payment").focus()
    for _ in range(3):
        card.page.keyboard.down("Enter")
    card.page.keyboard.up("Enter")
    expect(card.field("Amount")).to_be_focused()
    assert card.world.backend.called("create") == []


def test_an_answer_that_is_no_payment_leaves_the_form_and_says_that_it_is_not_certain(card: DealCardPage) -> None:
    card.world.backend.script["create"] = [Answer(200, {}, carried_out=True)]
    card.open().begin()
    submit(card).click()
    expect(card.widget).to_contain_text("it will not be made twice")
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    assert len(card.world.backend.deal["requests"]) == 1


def test_a_lost_answer_is_settled_by_sending_the_same_again(card: DealCardPage) -> None:
    card.world.backend.script["create"] = [Answer(502, "<h1>Bad gateway</h1>", carried_out=True)]
    card.open().begin()
    submit(card).click()
    expect(card.widget).to_contain_text("it will not be made twice")
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    first, second = card.world.backend.called("create")
    assert first.body == second.body
    assert len(card.world.backend.deal["requests"]) == 1


def test_a_form_changed_after_a_lost_answer_shows_the_payment_that_was_made(card: DealCardPage) -> None:
    card.world.backend.script["create"] = [Answer(504, None, carried_out=True)]
    card.open().begin()
    submit(card).click()
    expect(card.widget).to_contain_text("it will not be made twice")
    card.field("Amount").fill("999")
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    expect(card.widget.locator(".dealpay-created")).to_contain_text("€1,200.00 EUR")
    assert len(card.world.backend.deal["requests"]) == 1


def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(card: DealCardPage) -> None:
    card.world.backend.script["create"] = [Answer(422, refusal("amount_too_small", "At least 0.50 EUR.", "amount"))]
    card.open().begin()
    card.field("Amount").fill("0.10")
    submit(card).click()
    amount = card.field("Amount")
    expect(amount).to_have_accessible_description("At least 0.50 EUR.")
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(amount).to_be_focused()
    expect(amount).to_have_value("0.10")


def test_a_refusal_goes_away_when_its_field_is_changed(card: DealCardPage) -> None:
    card.world.backend.script["create"] = [Answer(422, refusal("amount_too_small", "At least 0.50 EUR.", "amount"))]
    card.open().begin()
    submit(card).click()
    expect(card.widget).to_contain_text("At least 0.50 EUR.")
    card.field("Amount").fill("5")
    expect(card.widget).not_to_contain_text("At least 0.50 EUR.")


def test_a_refusal_of_something_that_is_no_field_is_an_alert(card: DealCardPage) -> None:
    card.world.backend.script["create"] = [Answer(404, refusal("deal_not_found", "Kommo has no such deal.", "lead_id"))]
    card.open().begin()
    submit(card).click()
    expect(card.widget.get_by_role("alert")).to_have_text("Kommo has no such deal.")


def test_a_dead_backend_is_said_and_the_form_can_be_sent_when_it_is_back(card: DealCardPage) -> None:
    card.open().begin()
    card.page.route(f"{card.world.backend_url}/**", lambda route: route.abort())
    submit(card).click()
    expect(card.widget.get_by_role("alert").first).to_contain_text("can't be reached")
    card.page.unroute(f"{card.world.backend_url}/**")
    submit(card).click()
    expect(link_ready(card)).to_be_visible()


def test_an_amount_that_is_none_is_not_sent(card: DealCardPage) -> None:
    card.open().begin()
    for typed in ("", "0", "-5", "abc", "1.2.3,4"):
        card.field("Amount").fill(typed)
        submit(card).click()
        expect(card.field("Amount")).to_have_accessible_description(re.compile("above zero"))
    assert card.world.backend.called("create") == []


AMOUNTS = [
    ("EUR", "1 200,50", "€1,200.50 EUR"),
    ("EUR", "1.200,50", "€1,200.50 EUR"),
    ("EUR", "1,200.50", "€1,200.50 EUR"),
    ("EUR", "1,200", "€1,200.00 EUR"),
    ("EUR", "1.200", "€1,200.00 EUR"),
    ("EUR", "0.500", "€0.50 EUR"),
    ("EUR", "12,5", "€12.50 EUR"),
    ("EUR", "1,20,000", "€120,000.00 EUR"),
    ("EUR", "0012", "€12.00 EUR"),
    ("JPY", "1200.00", "¥1,200 JPY"),
    ("KWD", "1.250", "KWD 1.250"),
    ("KWD", "1,250", "KWD 1,250.000"),
    ("ISK", "500", "kr 500 ISK"),
]


def test_the_button_says_the_amount_that_will_be_asked_for(card: DealCardPage) -> None:
    card.open().begin()
    said = []
    for currency, typed, _ in AMOUNTS:
        card.field("Currency").select_option(currency)
        card.field("Amount").fill(typed)
        said.append((currency, typed, (submit(card).inner_text()).replace("\u00a0", " ")))
    assert said == [(currency, typed, f"Create link for {shown}") for currency, typed, shown in AMOUNTS]


def test_what_is_typed_into_the_budget_and_not_saved_counts(card: DealCardPage) -> None:
    card.open()
    card.page.get_by_label("Budget").fill("2 345.60")
    card.begin()
    expect(card.field("Amount")).to_have_value("2345.60")


def test_the_amount_is_what_the_budget_leaves_after_what_was_paid(card: DealCardPage) -> None:
    card.world.backend.deal |= {"state": "paid", "paid": [money("200.00")], "expected": [money("200.00")]}
    card.open().begin()
    expect(card.field("Amount")).to_have_value("1000.00")


def test_the_rest_is_offered_where_something_is_open(card: DealCardPage) -> None:
    paid = {"state": "partially_paid", "paid": [money("400.00")], "open": [money("800.00")]}
    card.world.backend.deal |= paid | {"requests": [a_request(kind="deposit", state="paid")]}
    card.open().begin()
    expect(card.field("Type of payment")).to_have_value("rest")
    expect(card.field("Amount")).to_have_value("800.00")
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    assert sent(card)["kind"] == "rest"


def test_what_a_bank_is_bringing_already_is_not_offered_as_the_rest(card: DealCardPage) -> None:
    paid = {"state": "partially_paid", "paid": [money("400.00")], "open": [money("800.00")]}
    on_its_way = a_request(2, kind="rest", state="processing", amount="300.00")
    card.world.backend.deal |= paid | {"requests": [on_its_way, a_request(kind="deposit", state="paid")]}
    card.open().begin()
    expect(card.field("Amount")).to_have_value("500.00")
    card.world.backend.deal |= {"requests": [on_its_way | {"amount": "800.00"}]}
    card.open().begin()
    expect(card.field("Type of payment")).to_have_value("full")


def test_the_rest_follows_what_was_paid_while_the_form_was_open(card: DealCardPage) -> None:
    paid = {"state": "partially_paid", "paid": [money("400.00")], "open": [money("800.00")]}
    waiting = a_request(2, kind="full", state="pending", amount="300.00")
    card.world.backend.deal |= paid | {"requests": [waiting, a_request(kind="deposit", state="paid")]}
    card.open().begin()
    expect(card.field("Amount")).to_have_value("800.00")
    news = {"paid": [money("700.00")], "open": [money("500.00")], "explanation": "The waiting link was paid."}
    card.world.backend.deal |= news
    card.later(6)
    expect(card.widget).to_contain_text("The waiting link was paid.")
    card.field("Type of payment").select_option("full")
    card.field("Type of payment").select_option("rest")
    expect(card.field("Amount")).to_have_value("500.00")


def test_a_deposit_is_a_share_of_the_whole_price(card: DealCardPage) -> None:
    card.open().begin()
    card.field("Type of payment").select_option("deposit")
    expect(card.field("Amount")).to_have_value("600.00")
    card.button("30%").click()
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    facts = {name: sent(card)[name] for name in ("kind", "mode", "amount", "deal_total")}
    assert facts == {"kind": "deposit", "mode": "payment", "amount": "360.00", "deal_total": "1200.00"}


def test_a_share_that_is_typed_gives_the_amount_and_an_amount_that_is_typed_ends_the_share(card: DealCardPage) -> None:
    card.open().begin()
    card.field("Type of payment").select_option("deposit")
    expect(card.button("50%")).to_have_attribute("aria-pressed", "true")
    card.field("Share").fill("12,5")
    expect(card.field("Amount")).to_have_value("150.00")
    card.field("Whole price").fill("2000")
    expect(card.field("Amount")).to_have_value("250.00")
    card.field("Amount").fill("300")
    expect(card.field("Share")).to_have_value("")
    card.field("Whole price").fill("3000")
    expect(card.field("Amount")).to_have_value("300")
    card.field("Share").fill("20")
    card.field("Whole price").fill("1000")
    expect(card.field("Amount")).to_have_value("200.00")


def test_a_share_of_nothing_asks_for_the_whole_price(card: DealCardPage) -> None:
    card.world.kommo.account.leads[card.world.leads[0]].price = 0
    card.open().begin()
    card.field("Type of payment").select_option("deposit")
    card.button("30%").click()
    expect(card.field("Whole price")).to_have_accessible_description("Write the whole price first.")


def test_a_rep_who_asks_again_is_shown_the_open_link(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(amount="120.00")]}
    card.open()
    expect(card.button("Create Stripe payment")).not_to_have_class(re.compile("blue"))
    card.begin()
    expect(card.widget.get_by_role("form")).to_contain_text("A link for €120.00 EUR is already waiting for the client.")


def test_a_link_is_cancelled_where_it_was_made(card: DealCardPage) -> None:
    card.open().begin()
    submit(card).click()
    card.button("Cancel link").click()
    card.page.keyboard.press("Escape")
    expect(card.button("Cancel link")).to_be_focused()
    card.button("Cancel link").click()
    card.button("Cancel link").click()
    expect(card.button("Create Stripe payment")).to_be_visible()
    expect(card.widget).to_contain_text("Earlier links (1)")
    assert len(card.world.backend.called("cancel")) == 1


def test_what_is_read_after_a_link_was_made_moves_nothing(card: DealCardPage) -> None:
    card.world.backend.script["deal"] = [Answer(), Answer(seconds=0.4)]
    card.open().begin()
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    before = link_ready(card).bounding_box()
    expect(card.button("Check now")).to_be_visible()
    assert link_ready(card).bounding_box() == before


def test_a_subscription_says_how_often(card: DealCardPage) -> None:
    card.open().begin()
    card.field("Type of payment").select_option("subscription")
    expect(card.field("Period")).to_contain_text("month")
    expect(card.field("Period")).not_to_contain_text("months")
    card.field("Every").fill("3")
    card.field("Period").select_option("weeks")
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    assert {name: sent(card)[name] for name in ("mode", "interval", "interval_count")} == {
        "mode": "subscription",
        "interval": "week",
        "interval_count": 3,
    }
    assert "kind" not in sent(card)


def test_only_the_fields_of_the_chosen_kind_are_there(card: DealCardPage) -> None:
    card.open().begin()
    for label in ("Whole price of the deal", "Every", "Period"):
        expect(card.field(label)).to_be_hidden()
    card.field("Type of payment").select_option("deposit")
    expect(card.field("Whole price of the deal")).to_be_visible()


def test_amounts_are_filled_in_as_people_of_that_language_write_them(card: DealCardPage) -> None:
    card.open(lang="pt")
    card.widget.locator("[data-key=begin]").click()
    expect(card.field("Valor")).to_have_value("1200,00")
    submit(card).click()
    expect(card.widget).to_contain_text("O link está pronto")
    assert sent(card)["amount"] == "1200.00"


def test_escape_closes_the_form_and_gives_the_focus_back(card: DealCardPage) -> None:
    card.open().begin()
    expect(card.field("Amount")).to_be_focused()
    card.page.keyboard.press("Escape")
    expect(card.button("Create Stripe payment")).to_be_focused()


def test_enter_and_a_click_together_send_once(card: DealCardPage) -> None:
    card.world.backend.always["create"] = Answer(seconds=0.3)
    card.open().begin()
    card.page.evaluate(
        """() => {
          const button = document.querySelector('[data-key=submit]');
          button.form.requestSubmit();
          button.click();
        }"""
    )
    expect(link_ready(card)).to_be_visible()
    assert len(card.world.backend.called("create")) == 1


@pytest.mark.own_page
def test_the_link_is_copied_with_one_press(card: DealCardPage) -> None:
    card.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.open().begin()
    submit(card).click()
    expect(card.button("Copy link")).to_be_focused()
    card.button("Copy link").click()
    expect(card.button("Copied")).to_be_visible()
    url = card.world.backend.deal["requests"][0]["url"]
    assert card.page.evaluate("navigator.clipboard.readText()") == url


@pytest.mark.own_page
def test_the_link_is_copied_where_the_clipboard_is_refused(card: DealCardPage) -> None:
    card.page.add_init_script("delete Navigator.prototype.clipboard")
    card.open().begin()
    submit(card).click()
    card.button("Copy link").click()
    expect(card.button("Copied")).to_be_visible()


@pytest.mark.own_page
def test_the_message_for_the_client_has_amount_and_link_in_it(card: DealCardPage) -> None:
    card.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.open().begin()
    submit(card).click()
    card.button("Copy message").click()
    expect(card.button("Copied")).to_be_visible()
    url = card.world.backend.deal["requests"][0]["url"]
    assert (
        card.page.evaluate("navigator.clipboard.readText()")
        == f"Hello Ana! Here is the link to pay €1,200.00 EUR: {url}"
    )


def test_the_link_opens_in_a_tab_that_knows_nothing_of_kommo(card: DealCardPage) -> None:
    card.open().begin()
    submit(card).click()
    link = card.widget.get_by_role("link", name="Open").first
    expect(link).to_have_attribute("href", re.compile("^https://pay.example.com/p/"))
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", re.compile("noopener"))


def test_done_leads_back_to_the_list_with_the_new_link_in_it(card: DealCardPage) -> None:
    card.open().begin()
    submit(card).click()
    card.button("Done").click()
    expect(card.widget.get_by_role("listitem")).to_have_count(1)
    expect(card.button("Create Stripe payment")).to_be_visible()


@pytest.mark.own_page
def test_the_new_links_panel_closes_by_itself_when_it_is_paid(card: DealCardPage) -> None:
    card.page.clock.install()
    card.open().begin()
    submit(card).click()
    expect(link_ready(card)).to_be_visible()
    made = card.world.backend.deal["requests"][0]
    card.world.backend.deal = card.world.backend.deal | {"state": "paid", "requests": [made | {"state": "paid"}]}
    card.page.clock.run_for(6_000)
    expect(link_ready(card)).to_have_count(0)
    expect(card.button("Create Stripe payment")).to_be_visible()


def test_a_rep_who_may_not_create_is_told_so(card: DealCardPage) -> None:
    card.world.backend.deal |= {"may": {"create": False, "refund": False}}
    card.open()
    expect(card.widget).to_contain_text("An administrator can change that")
    expect(card.button("Create Stripe payment")).to_have_count(0)
