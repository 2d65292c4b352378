"""By when a payment is due and how long its link lives: chosen in the form, shown in the card, refused at its field."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, a_request, refusal

pytestmark = pytest.mark.browser

USUAL = {"today": "2026-11-20", "due_on": "2026-12-04", "valid_until": "2026-12-20"}


def test_the_days_of_a_payment_are_offered_changed_sent_and_shown(card: DealCardPage) -> None:
    """Offered as the account has them; a day that the backend refuses is told beside its field."""
    backend = card.world.backend
    backend.deal |= {"new_dates": USUAL, "requests": [a_request(due_on="2026-11-19", valid_until="2026-12-01")]}
    backend.script["create"] = [Answer(422, refusal("field_invalid", "This day is over.", "valid_until"))]
    card.open().begin()
    expect(card.widget.locator(".dealpay-late")).to_have_text("overdue since Nov 19, 2026 · link until Dec 1, 2026")
    due, until = card.field("Due on"), card.field("Link can be paid until")
    expect(due).to_have_value("2026-12-04")
    expect(due).to_have_attribute("min", "2026-11-20")
    due.fill("2026-12-11")
    card.submit.click()
    expect(until).to_be_focused()
    expect(card.widget).to_contain_text("This day is over.")
    until.fill("")
    card.submit.click()
    expect(card.widget.locator(".dealpay-created")).to_contain_text("due Dec 11, 2026")
    bodies = [call.body or {} for call in backend.called("create")]
    assert [(body["due_on"], body["valid_until"]) for body in bodies] == [
        ("2026-12-11", "2026-12-20"),
        ("2026-12-11", None),
    ]
    assert not re.search("until", card.widget.locator(".dealpay-created").inner_text())
