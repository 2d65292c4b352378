"""Each sum has one spelling on the card: symbol and code, in the region of the reader's browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Json, a_request, money

pytestmark = pytest.mark.browser

ASKED: Json = {
    "state": "partially_paid",
    "expected": [money("1200.00", "USD")],
    "paid": [money("1200.00", "USD")],
    "open": [money("1200.00", "USD")],
    "explanation": "Quedan {1200.00 USD} por pagar. {x} {1 usd}",
    "requests": [a_request(amount="1200.00", currency="USD")],
}


@pytest.mark.own_page
@pytest.mark.parametrize(
    ("languages", "shown"),
    [
        (["es-MX", "en-US"], "$1,200.00 USD"),
        (["en-US", "es-mx"], "$1,200.00 USD"),
        (["es-AR"], "$ 1.200,00 USD"),
        (["es-ES"], "1.200,00 $ USD"),
        (["en-US"], "$1,200.00 USD"),  # the account's time zone is one of the United States
        (["es-Latn-MX", "esx-MX", "es"], "$1,200.00 USD"),
    ],
)
def test_a_sum_has_one_spelling_in_the_region_of_the_browser(
    card: DealCardPage, languages: list[str], shown: str
) -> None:
    card.page.add_init_script(f"Object.defineProperty(navigator, 'languages', {{get: () => {languages}}})")
    card.world.backend.deal |= ASKED
    card.open(lang="es")
    expect(card.widget.locator(".dealpay-why")).to_contain_text(f"Quedan {shown} por pagar. {{x}} {{1 usd}}")
    text = re.sub(r"\s", " ", card.widget.inner_text())
    sums = re.findall(r"1[.,]200", text)
    assert text.count(shown) == len(sums) >= 4, text


@pytest.mark.own_page
@pytest.mark.parametrize(
    ("zone", "shown"),
    [("America/Mexico_City", "$1,200.00 USD"), ("Europe/Madrid", "1.200,00 $ USD"), ("Nowhere/Else", "1.200,00 $ USD")],
)
def test_where_the_browser_names_no_region_it_is_the_accounts(card: DealCardPage, zone: str, shown: str) -> None:
    card.page.add_init_script("Object.defineProperty(navigator, 'languages', {get: () => ['es']})")
    card.world.backend.deal |= ASKED
    card.world.kommo.account.timezone = zone
    card.open(lang="es")
    expect(card.widget.locator(".dealpay-why")).to_contain_text(f"Quedan {shown} por pagar.")


def test_a_code_is_not_written_twice_and_an_unknown_one_behind_the_amount(card: DealCardPage) -> None:
    sums = [("1200.000", "KWD"), ("1200", "JPY"), ("1200.00", "nonsense")]
    card.world.backend.deal |= {"requests": [a_request(n, amount=a, currency=c) for n, (a, c) in enumerate(sums, 1)]}
    card.open()
    expect(card.widget.locator(".dealpay-amount")).to_have_text(["KWD 1,200.000", "¥1,200 JPY", "1200.00 nonsense"])
