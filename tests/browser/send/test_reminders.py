"""The next reminder of a link in the card: skipped, sent, stopped for the deal, and what the backend says of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, a_request, refusal

pytestmark = pytest.mark.browser

LINK = a_request()
PAST = [
    {"request_id": LINK["id"], "step": "-3", "state": state, "reason": reason, "at": "2026-11-18T10:00:00Z", "by": 0}
    for state, reason in (("sent", ""), ("task", "replied"), ("skipped", "late"), ("lost", "new_reason"))
]
NEXT = {"request_id": LINK["id"], "step": "2", "channel": "bot", "at": "2026-11-22T10:00:00Z"}
LATER = NEXT | {"step": "7", "channel": "task", "at": "2026-11-27T10:00:00Z"}


@pytest.mark.parametrize("language", ["en", "es", "pt", "tr", "id"])
def test_a_person_skips_sends_and_stops(card: DealCardPage, language: str) -> None:
    backend = card.world.backend
    backend.deal |= {"requests": [LINK], "reminders": {"stopped": False, "coming": [NEXT], "past": PAST}}
    backend.script["skip"] = [Answer(200, {"stopped": False, "coming": [LATER], "past": []})]
    backend.script["send"] = [Answer(409, refusal("conflict", "This reminder is not the next one any more."))]
    backend.script["reminders"] = [Answer(200, {"stopped": True, "coming": [], "past": []})]
    card.open(lang=language)
    for one in ("lost", "new_reason"):  # of a newer backend
        expect(card.widget).to_contain_text(one)
    assert not re.search(r"\breminder\.[a-z_]+|\{", card.widget.inner_text())
    if language == "en":
        for one in ("Reminder sent", "the client has written", "too late"):
            expect(card.widget).to_contain_text(one)
    card.widget.locator(f"[data-key='reminder-skip-{LINK['id']}']").click()
    expect(card.widget).to_contain_text(re.compile("27"))
    card.widget.locator(f"[data-key='reminder-send-{LINK['id']}']").click()
    expect(card.widget).to_contain_text("not the next one any more")
    card.widget.locator("[data-key='reminder-stop']").click()
    expect(card.widget.locator(f"[data-key='reminder-send-{LINK['id']}']")).to_have_count(0)
    bodies = [call.body for name in ("skip", "send", "reminders") for call in backend.called(name)]
    assert bodies == [{"step": "2"}, {"step": "7"}, {"stopped": True}]
    assert not re.search(r"\breminder\.[a-z_]+|\{", card.widget.inner_text())
