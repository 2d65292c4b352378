"""Texts from outside are only ever text: whatever they say, in every state of the card."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import NO_DEAL, Answer, Json, a_payment, a_request, money, refusal
from tests.browser.states import MAY_REFUND
from tests.security.script_strings import EACH_ONCE, HOSTILE

pytestmark = pytest.mark.browser

REQUEST_TEXTS = ("description", "created_by", "state", "currency", "url", "kind", "created_at")
PAYMENT_TEXTS = ("id", "disputed", "state", "paid_at", "currency", "stripe_url")


@pytest.fixture
def guarded(card: DealCardPage) -> Iterator[DealCardPage]:
    """Nothing runs, and nothing that could run is there, when the test ends."""
    opened: list[str] = []
    card.page.on("popup", lambda page: opened.append(page.url))
    yield card
    assert card.page.evaluate("window.pwned") is None
    assert opened == []


def nothing_runs(card: DealCardPage) -> None:
    assert card.page.evaluate("window.pwned") is None
    made = "script, img, iframe, object, video, style, [onerror], [onload], [onfocus]"
    assert card.widget.locator(f"{made}, a[href^='javascript'], a[href^='data']").count() == 0


def test_two_hundred_strings_in_every_field_of_the_list(guarded: DealCardPage) -> None:
    card = guarded
    requests = [a_request(place) | dict.fromkeys(REQUEST_TEXTS, text) for place, text in enumerate(HOSTILE)]
    open_ = [one | {"state": "pending", "id": f"open-{one['id']}"} for one in requests]
    payments = [a_payment() | dict.fromkeys(PAYMENT_TEXTS, one) for one in HOSTILE]
    card.world.backend.deal |= {"requests": [*requests, *open_], "payments": payments}
    card.open()
    expect(card.widget.get_by_role("listitem").first).to_be_visible()
    card.widget.get_by_text("Earlier links").click()
    nothing_runs(card)


MEET = """async ([leadId, text]) => {
  const until = async (holds) => {
    for (let tries = 0; tries < 2000; tries += 1) {
      const found = holds();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    throw new Error(`did not come true: ${holds}`);
  };
  const widget = (selector) => document.querySelector(`.dealpay ${selector}`);
  const press = async (key) => (await until(() => widget(`[data-key^=${key}]:enabled`))).click();
  const says = (selector) => until(() => widget(selector)?.textContent.includes(text));
  await window.host.switchTo(leadId, 'new');
  await press('begin');
  const field = await until(() => widget('[id$=-description]'));
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await press('submit');
  await says('.dealpay-fault[id*=description]');
  await press('submit');
  await says('.dealpay-alert');
  await press('submit');
  await says('.dealpay-created');
  await press('cancel-');
  await press('answer');
  await says('.dealpay-created .dealpay-alert');
  await press('check');
  await says('.dealpay-foot .dealpay-alert');
}"""
"""One string seen as deal name, description, refusal of a field, of the form, of a cancel, of a check.

In the page: Playwright would wait ten times as long between the steps."""


@pytest.mark.parametrize(
    "texts",
    [pytest.param(EACH_ONCE, id="each payload"), pytest.param(HOSTILE, id="all", marks=pytest.mark.full)],
)
def test_strings_in_every_state_that_shows_one_at_a_time(guarded: DealCardPage, texts: tuple[str, ...]) -> None:
    card = guarded
    first, second = card.world.leads[:2]
    card.open(first)
    for lead_id, text in zip([second, first] * len(texts), texts, strict=False):
        backend = card.world.backend
        card.world.kommo.account.leads[lead_id].name = text
        backend.deal = dict(NO_DEAL)
        at_field, at_none = refusal("field_invalid", text, "description"), refusal(text, text, text)
        backend.script["create"] = [Answer(422, at_field), Answer(409, at_none)]
        backend.script["cancel"] = [Answer(409, refusal("conflict", text))]
        backend.script["check"] = [Answer(409, refusal("conflict", text))]
        card.page.evaluate(MEET, [lead_id, text])
        nothing_runs(card)


def test_strings_where_the_card_can_not_be_shown(guarded: DealCardPage) -> None:
    """Notices, sums and sentences of the deal itself."""
    card = guarded
    lead_id = card.world.leads[0]
    card.open()
    for text in EACH_ONCE:
        for answer in (Answer(500, refusal(text, text)), Answer(200, _deal_of(text))):
            card.world.backend.always["deal"] = answer
            card.host(f"switchTo({lead_id}, 'new')")
            expect(card.widget).to_contain_text(text)
            nothing_runs(card)


def _deal_of(text: str) -> Json:
    sums = [money("1.00", text), money(text, "EUR")]
    texts: Json = {"state": text, "mode": text, "currency": text, "explanation": text, "statement_url": text}
    facts: Json = {"expected": sums, "paid": sums, "open": sums, "payments": [a_payment(state="paid")]}
    return NO_DEAL | texts | facts | MAY_REFUND


def test_a_link_that_is_no_web_address_is_not_opened(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(url="javascript:alert(1)")]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_be_visible()
    assert card.widget.locator("a[href]").count() == 0
