"""The panel in the deal card, state by state, as a rep meets it."""

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import a_payment, a_request, money

pytestmark = pytest.mark.browser


def test_a_new_deal_says_that_there_is_nothing_yet_and_offers_to_create(card: DealCardPage) -> None:
    card.open()
    expect(card.widget).to_contain_text("No payments yet")
    expect(card.button("Create Stripe payment")).to_be_visible()


def test_kommo_calls_render_then_init_then_bind_actions(card: DealCardPage) -> None:
    card.open()
    assert card.host("calls") == ["render", "init", "bind_actions"]


def test_the_form_starts_with_the_deals_budget_and_currency(card: DealCardPage) -> None:
    card.open().begin()
    expect(card.field("Amount")).to_have_value("1200.00")
    expect(card.field("Currency")).to_have_value("EUR")
    expect(card.field("Description")).to_have_value(f"Payment no. {card.world.leads[0]}")


def test_a_payment_is_created_with_one_press(card: DealCardPage) -> None:
    card.open().begin()
    card.button("Create link for €1,200.00 EUR").click()
    expect(card.widget.get_by_role("heading", name="The link is ready")).to_be_visible()
    (call,) = card.world.backend.called("create")
    assert call.body is not None
    assert {name: call.body[name] for name in ("lead_id", "amount", "currency", "mode", "kind")} == {
        "lead_id": card.world.leads[0],
        "amount": "1200.00",
        "currency": "EUR",
        "mode": "payment",
        "kind": "full",
    }


def test_every_payment_and_link_of_the_deal_is_listed(card: DealCardPage) -> None:
    card.world.backend.deal |= {
        "state": "partially_paid",
        "expected": [money("240.00")],
        "paid": [money("120.00")],
        "requests": [a_request(1, state="paid"), a_request(2)],
        "payments": [a_payment(1, request_id=a_request(1)["id"])],
    }
    card.open()
    expect(card.widget.get_by_role("listitem")).to_have_count(2)
    expect(card.widget).to_contain_text("€120.00 EUR")


def test_a_user_of_finance_opens_all_payments_from_the_card(card: DealCardPage) -> None:
    card.open()
    expect(card.button("All payments")).to_have_count(0)
    card.world.backend.deal |= {"may": {"create": True, "refund": False, "payments": True}}
    card.open()
    card.button("All payments").click()
    expect(card.widget.get_by_role("status")).to_contain_text("Opened in a new tab.")
    assert len(card.world.backend.called("setup")) == 1
