"""What the form begins with: a description that clients may read, and the currencies that are likely first."""

import pytest
from playwright.sync_api import expect

from sandbox.kommo.host.installed import shelf_of
from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import a_payment, money

pytestmark = pytest.mark.browser


def _described(card: DealCardPage, template: str, name: str = "Ana, collect!!") -> DealCardPage:
    card.world.kommo.account.leads[card.world.leads[0]].name = name
    next(iter(shelf_of(card.world.kommo).values())).settings["description"] = template
    return card.open().begin()


def _first(card: DealCardPage, count: int) -> list[str]:
    return list(card.field("Currency").locator("option").evaluate_all("all => all.map(one => one.value)"))[:count]


def test_what_colleagues_call_the_deal_is_not_shown_to_the_client(card: DealCardPage) -> None:
    _described(card, "")
    expect(card.field("Description")).to_have_value(f"Payment no. {card.world.leads[0]}")


@pytest.mark.parametrize(
    ("template", "name", "text"),
    [
        ("Order {id}", "Sofa", "Order {id}"),
        ("{deal}", "Website for Ana", "Website for Ana"),
        ("{deal}", "", "Payment no. {id}"),
        ("{deal} {price}", "{id} $&", "{{id}} $& {{price}}"),
        ("x" * 300, "Sofa", "x" * 250),
    ],
)
def test_the_accounts_template_is_filled_in(card: DealCardPage, template: str, name: str, text: str) -> None:
    _described(card, template, name)
    expect(card.field("Description")).to_have_value(text.format(id=card.world.leads[0]))


@pytest.mark.own_page
def test_the_deals_currency_the_accounts_and_the_last_used_come_first(card: DealCardPage) -> None:
    card.world.backend.deal |= {"currency": "MXN", "account_currency": "COP", "paid": [money("5.00", "GBP")]}
    card.world.backend.deal |= {"payments": [a_payment(currency="GBP")]}
    card.open().begin()
    assert _first(card, 5) == ["MXN", "GBP", "COP", "AED", "AFN"]
    card.field("Amount").fill("10")
    card.field("Currency").select_option("JPY")
    card.submit.click()
    card.button("Done").click()
    card.begin()
    assert _first(card, 6) == ["MXN", "JPY", "GBP", "COP", "AED", "AFN"]
    card.world.backend.deal |= {"expected": [], "paid": [], "requests": [], "payments": []}
    card.open().begin()
    assert _first(card, 4) == ["MXN", "COP", "JPY", "AED"]


def test_currencies_carry_their_names_in_the_language_of_the_page(card: DealCardPage) -> None:
    card.open(lang="es")
    card.widget.locator("[data-key=begin]").click()
    names = card.field("Moneda").locator("option").all_text_contents()
    assert names[0] == "EUR · euro"
    assert "MXN · peso mexicano" in names
    assert len(names) == len(set(names))


@pytest.mark.own_page
def test_what_kommos_page_keeps_under_our_name_is_no_currency_of_itself(card: DealCardPage) -> None:
    card.page.add_init_script("localStorage.setItem('dealpay-currencies', '<b> XXX toString MXN __proto__')")
    card.open().begin()
    assert _first(card, 3) == ["EUR", "MXN", "AED"]
