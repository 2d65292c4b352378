"""Our texts are there in every language of Kommo."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, a_payment, a_request, money, refusal

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "es", "pt", "tr", "id"])
def test_every_text_is_there_in_every_language(card: DealCardPage, language: str) -> None:
    card.world.backend.deal |= {"requests": [a_request()], "may": {"create": True, "refund": True}}
    card.world.backend.deal |= {"payments": [a_payment(), a_payment(2, disputed="open"), a_payment(3, state="inquiry")]}
    card.open(lang=language, width="200")
    card.widget.locator("[data-key=begin]").click()
    form = card.widget.inner_text()
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget.locator(".dealpay-created")).to_be_visible()
    assert not re.search(r"\b(card|form|list|state|created|phase|kind|interval|refund|dispute)\.[a-z_]+", form)
    assert "{" not in form + card.widget.inner_text()


def test_a_payment_that_the_bank_asks_about_says_so_and_may_be_refunded(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment(state="inquiry")], "may": {"create": True, "refund": True}}
    card.open()
    expect(card.widget.get_by_text("Inquiry", exact=True)).to_be_visible()
    expect(card.widget.get_by_text("The bank asks about this payment; no money was taken")).to_be_visible()
    expect(card.widget.locator(f"[data-key='refund-{a_payment()['id']}']")).to_be_visible()


def test_the_backend_hears_the_language_of_the_page(card: DealCardPage) -> None:
    card.open(lang="tr")
    expect(card.widget.locator("[data-key=begin]")).to_be_visible()
    assert [call.language for call in card.world.backend.calls] == ["tr"]


def test_a_refusal_is_said_in_the_language_of_the_page_where_we_have_it(card: DealCardPage) -> None:
    card.world.backend.always["create"] = Answer(502, refusal("stripe_unreachable", "Stripe can't be reached."))
    card.open(lang="es")
    card.widget.locator("[data-key=begin]").click()
    card.submit.click()
    expect(card.widget.get_by_role("alert")).to_contain_text("Ahora no se puede contactar con Stripe.")


ONCE = {
    "en": ("again", "twice"),
    "es": ("de nuevo", "dos veces"),
    "pt": ("de novo", "duas vezes"),
    "tr": ("yeniden", "iki kez"),
    "id": ("(?:kirim|coba) lagi", "dua kali"),
}
"""To send once more, and that nothing is doubled by it."""
LOST = [
    Answer(502, refusal("stripe_unreachable", "Stripe can't be reached. Press again: nothing will be done twice.")),
    Answer(500, refusal("internal", "Something went wrong on our side. Try again in a moment.")),
    Answer(502, "<h1>Bad gateway</h1>"),
]


@pytest.mark.parametrize("language", ONCE)
def test_a_lost_answer_is_told_once(card: DealCardPage, language: str) -> None:
    card.open(lang=language).widget.locator("[data-key=begin]").click()
    card.world.backend.script["create"] = list(LOST)
    for _ in LOST:
        with card.page.expect_response("**/widget/requests*"):
            card.submit.click()
        expect(card.submit).to_be_enabled()
        text = card.widget.get_by_role("alert").inner_text()
        assert [len(re.findall(said, text, re.IGNORECASE)) for said in ONCE[language]] == [1, 1], text


def test_what_the_backend_knows_for_certain_is_no_doubt(card: DealCardPage) -> None:
    """The database was away before anything was done."""
    certain = "The database is away. Nothing was changed; try again in a moment."
    card.world.backend.always["create"] = Answer(503, refusal("unavailable", certain))
    card.open().begin()
    card.submit.click()
    expect(card.widget.get_by_role("alert")).to_have_text(certain)


def test_an_amount_that_is_refused_is_told_with_its_limit_in_the_language_of_the_page(card: DealCardPage) -> None:
    said = refusal("amount_too_small", "The least that Stripe charges is 0.50 EUR.", "amount")
    said["error"]["limit"] = money("0.50")
    card.world.backend.always["create"] = Answer(422, said)
    card.open(lang="es")
    card.widget.locator("[data-key=begin]").click()
    card.submit.click()
    expect(card.field("Importe")).to_have_accessible_description("Stripe acepta como mínimo €0.50 EUR.")


def test_a_limit_that_was_not_sent_leaves_the_sentence_as_it_came(card: DealCardPage) -> None:
    said = refusal("amount_too_small", "The least that Stripe charges is 0.50 EUR.", "amount")
    card.world.backend.always["create"] = Answer(422, said)
    card.open(lang="es")
    card.widget.locator("[data-key=begin]").click()
    card.submit.click()
    expect(card.field("Importe")).to_have_accessible_description("The least that Stripe charges is 0.50 EUR.")


def test_amounts_and_dates_follow_the_language(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(amount="1234.50")]}
    card.open(lang="pt")
    expect(card.widget.locator(".dealpay-amount")).to_have_text(re.compile(r"€\s1\.234,50"))
