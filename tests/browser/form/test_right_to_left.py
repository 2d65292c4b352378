"""Names in Arabic and Hebrew on the card: each is read from its beginning, and its neighbours stay in their places."""

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import a_payment, a_request

pytestmark = pytest.mark.browser
LONG = "دفعة أولى عن أثاث غرفة الجلوس والمطبخ وغرف النوم حسب العقد المبرم بيننا في شهر يناير 50%"
ITS_START = """node => {
  const text = document.createRange();
  text.setStart(node.firstChild, 0);
  text.setEnd(node.firstChild, 1);
  const [letter, box] = [text.getBoundingClientRect(), node.getBoundingClientRect()];
  return letter.left >= box.left - 1 && letter.right <= box.right + 1;
}"""


def test_a_long_name_from_right_to_left_is_cut_at_its_end(card: DealCardPage) -> None:
    paid = a_request(1, state="paid", description=LONG)
    card.world.backend.deal |= {
        "requests": [paid, a_request(2, description=LONG, created_by="محمد")],
        "payments": [a_payment(request_id=paid["id"])],
    }
    card.open()
    cut = card.widget.locator(".dealpay-cut").filter(has_text="دفعة")
    expect(cut).to_have_count(2)
    for place in range(2):
        assert cut.nth(place).evaluate("node => node.scrollWidth > node.clientWidth")
        assert cut.nth(place).evaluate(ITS_START)
    expect(card.widget.locator("bdi", has_text="محمد")).to_be_visible()
    card.begin()
    assert card.field("Description").evaluate("node => node.matches(':dir(ltr)')")
    card.field("Description").fill(LONG)
    assert card.field("Description").evaluate("node => node.matches(':dir(rtl)')")
