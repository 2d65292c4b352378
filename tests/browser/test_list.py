"""What is listed, and what can be done with it: cancel, check, refund."""

import pytest
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, a_payment, a_request, money, refusal
from tests.browser.states import full_list

pytestmark = pytest.mark.browser

MAY_REFUND = {"may": {"create": True, "refund": True}}


def test_states_are_words_and_colours(card: DealCardPage) -> None:
    card.world.backend.deal |= full_list()
    card.open()
    badges = card.widget.locator(".dealpay-badge:visible")
    expect(badges).to_have_text(["Partly paid", "Waiting", "Processing", "Paid", "Refunded", "Disputed"])
    colours = badges.evaluate_all("nodes => nodes.map(node => getComputedStyle(node).backgroundColor)")
    assert len(set(colours)) == 5


def test_a_link_whose_payment_is_listed_is_not_listed_itself(card: DealCardPage) -> None:
    paid = a_request(1, state="paid")
    card.world.backend.deal |= {"requests": [paid], "payments": [a_payment(request_id=paid["id"])]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_have_count(1)


def test_a_settled_link_without_a_payment_is_listed_as_paid(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(1, state="paid")]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_contain_text("Paid")


def test_links_that_came_to_nothing_stand_behind_a_fold(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(1, state="expired"), a_request(2, state="replaced")]}
    card.open()
    expect(card.widget.get_by_text("Expired")).to_be_hidden()
    card.widget.get_by_text("Earlier links (2)").click()
    expect(card.widget.get_by_text("Expired")).to_be_visible()


@pytest.mark.own_page
def test_an_opened_fold_stays_open_when_the_list_is_read_again(card: DealCardPage) -> None:
    card.page.clock.install()
    card.world.backend.deal |= {"requests": [a_request(1), a_request(2, state="expired")]}
    card.open()
    card.widget.get_by_text("Earlier links (1)").click()
    card.world.backend.deal = card.world.backend.deal | {"requests": [a_request(1), a_request(3, state="expired")] * 2}
    card.page.clock.run_for(6_000)
    expect(card.widget.get_by_text("Earlier links (2)")).to_be_visible()
    expect(card.widget.get_by_text("Expired").first).to_be_visible()


def test_a_state_of_a_newer_backend_is_shown_as_it_came(card: DealCardPage) -> None:
    card.world.backend.deal |= {"state": "on_hold", "requests": [a_request(1, state="paused")], "novelty": {"a": 1}}
    card.open()
    expect(card.widget.locator(".dealpay-badge").first).to_have_text("on_hold")


def test_only_an_administrator_hears_that_the_widget_is_older_than_its_server(card: DealCardPage) -> None:
    card.world.backend.api = 1000
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    expect(card.widget).to_contain_text("uploads the new widget.zip")
    card.open(user=card.world.rep)
    expect(card.button("Check now")).to_be_visible()
    expect(card.widget).not_to_contain_text("Upload")


def test_the_rep_who_asked_is_shown_with_link_and_payment(card: DealCardPage) -> None:
    paid = a_request(1, state="paid", created_by="Former Colleague")
    card.world.backend.deal |= {"requests": [paid, a_request(2, created_by=card.world.rep)]}
    card.world.backend.deal |= {"payments": [a_payment(request_id=paid["id"])]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_contain_text(["Sam Sales", "Former Colleague"])


def test_the_statement_of_the_deal_is_copied_and_opened(card: DealCardPage) -> None:
    url = "https://pay.example.com/d/abcd2345efgh6789"
    card.world.backend.deal |= {"statement_url": url}
    card.open()
    expect(card.widget).to_contain_text("Statement for the client")
    expect(card.widget.get_by_role("link", name="Open")).to_have_attribute("href", url)


def test_an_answer_with_nothing_but_the_contract_is_enough(card: DealCardPage) -> None:
    needed = ("state", "paid", "expected", "open", "requests", "payments", "explanation")
    card.world.backend.deal = {name: card.world.backend.deal[name] for name in needed}
    card.open().begin()
    expect(card.field("Amount")).to_have_value("1200.00")
    card.widget.locator("[data-key=submit]").click()
    expect(card.field("Currency")).to_have_accessible_description("Choose a currency.")


def test_a_payment_leads_to_stripes_dashboard(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment(7)]}
    card.open()
    link = card.widget.get_by_role("link", name="Open in Stripe")
    expect(link).to_have_attribute("title", "pi_sandbox000007")
    expect(link).to_have_attribute("href", "https://dashboard.stripe.com/payments/pi_sandbox000007")


def test_a_link_that_the_client_opened_says_so(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(opened=True)]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_contain_text("The client opened the link")


def test_a_rep_who_opens_the_link_sees_a_preview(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    link = card.widget.get_by_role("link", name="Open")
    expect(link).to_have_attribute("href", a_request()["url"])  # to copy by the browser's menu
    for button in ("left", "middle"):
        with card.page.expect_popup() as popup:
            link.click(button=button)
        popup.value.wait_for_url("about:blank#preview-*")
        assert popup.value.evaluate("window.opener") is None
        popup.value.close()
    assert len(card.world.backend.called("preview")) == 2


def test_a_preview_that_fails_is_told_and_leaves_no_tab(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.world.backend.always["preview"] = Answer(403, refusal("not_allowed", "In Kommo you may not see this deal."))
    card.open()
    with card.page.expect_popup() as popup:
        card.widget.get_by_role("link", name="Open").click()
    expect(card.widget.get_by_role("alert")).to_contain_text("you may not see this deal")
    if not popup.value.is_closed():
        popup.value.wait_for_event("close")


def test_a_failed_link_can_still_be_sent_again(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(state="failed")]}
    card.open()
    expect(card.button("Copy")).to_be_visible()


def test_payments_stay_to_be_seen_after_stripe_was_disconnected(card: DealCardPage) -> None:
    card.world.backend.deal |= {"connected": False, "payments": [a_payment()]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_have_count(1)
    expect(card.button("Create Stripe payment")).to_have_count(0)
    expect(card.button("Open set-up")).to_be_visible()


@pytest.mark.own_page
def test_enter_that_is_held_too_long_opens_a_question_and_does_not_answer_it(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment()], "requests": [a_request()]} | MAY_REFUND
    card.open()
    for name in ("Cancel", "Refund"):
        card.button(name).focus()
        for _ in range(3):
            card.page.keyboard.down("Enter")
        card.page.keyboard.up("Enter")
        expect(card.widget.locator("[data-key=answer]")).to_be_focused()
    assert card.world.backend.called("cancel") + card.world.backend.called("refund") == []


def test_where_the_payments_of_a_deal_went_is_told_in_its_empty_card(card: DealCardPage) -> None:
    card.world.backend.deal |= {"explanation": "The payment that was shown here belongs to deal 7 now."}
    card.open()
    expect(card.widget).to_contain_text("belongs to deal 7 now")


def test_cancelling_asks_first(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    card.button("Cancel").click()
    card.button("Keep").click()
    expect(card.button("Cancel")).to_be_focused()
    assert card.world.backend.called("cancel") == []


def test_a_link_is_cancelled_once(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.world.backend.always["cancel"] = Answer(seconds=0.3)
    card.open()
    card.button("Cancel").click()
    card.button("Cancel link").dblclick()
    expect(card.widget.get_by_text("Earlier links (1)")).to_be_visible()
    assert len(card.world.backend.called("cancel")) == 1


def test_a_cancel_that_is_refused_says_why(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.world.backend.always["cancel"] = Answer(409, refusal("already_paid", "The client paid a moment ago."))
    card.open()
    card.button("Cancel").click()
    card.button("Cancel link").click()
    expect(card.widget.get_by_role("alert")).to_have_text("The client paid a moment ago.")


def test_check_now_asks_stripe_and_reads_again(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    expect(card.button("Check now")).to_be_visible()
    card.world.backend.deal = card.world.backend.deal | {"state": "paid", "requests": [a_request(state="paid")]}
    card.button("Check now").click()
    expect(card.button("Checking…")).to_be_visible()
    expect(card.widget.locator(".dealpay-badge").first).to_have_text("Paid")
    assert len(card.world.backend.called("check")) == 1


def test_why_stripe_could_not_be_asked_stays_to_be_read(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.world.backend.script["check"] = [Answer(502, refusal("stripe_unreachable", "Stripe can't be reached."))]
    card.open()
    card.button("Check now").click()
    expect(card.widget.get_by_role("alert")).to_have_text("Stripe can't be reached.")
    card.world.backend.deal = card.world.backend.deal | {"requests": [a_request(), a_request(2)]}
    card.later(6)
    expect(card.widget.get_by_role("listitem")).to_have_count(2)
    expect(card.widget.get_by_role("alert")).to_have_text("Stripe can't be reached.")
    card.button("Check now").click()
    expect(card.widget.get_by_role("alert")).to_have_count(0)


@pytest.mark.own_page
def test_the_focus_stays_when_the_list_is_read_again(card: DealCardPage) -> None:
    card.page.clock.install()
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    card.button("Copy").focus()
    card.world.backend.deal = card.world.backend.deal | {"explanation": "The client opened the link."}
    card.world.backend.deal |= {"requests": [a_request(), a_request(2)]}
    card.page.clock.run_for(6_000)
    expect(card.widget.get_by_role("listitem")).to_have_count(2)
    expect(card.button("Copy").first).to_be_focused()


def test_refunds_are_offered_only_where_the_admin_allows_them(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment()]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_have_count(1)
    expect(card.button("Refund")).to_have_count(0)


def test_a_part_is_refunded_with_a_reason_and_the_total_that_was_seen(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment(refunded="20.00")], "paid": [money("120.00")]} | MAY_REFUND
    card.open()
    card.button("Refund").click()
    expect(card.field("Amount to refund")).to_have_value("100.00")
    card.field("Amount to refund").fill("30,5")
    card.field("Reason").select_option("duplicate")
    card.button("Refund €30.50 EUR").dblclick()
    expect(card.field("Amount to refund")).to_have_count(0)
    (call,) = card.world.backend.called("refund")
    body = dict(call.body or {})
    assert len(str(body.pop("refund_id"))) == 36
    assert body == {"amount": "30.50", "expected_refunded": "20.00", "reason": "duplicate"}


def test_a_refund_is_sent_with_enter_once_and_left_with_escape(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment()]} | MAY_REFUND
    card.world.backend.always["refund"] = Answer(seconds=0.3)
    card.open()
    card.button("Refund").click()
    card.field("Amount to refund").press("Escape")
    expect(card.button("Refund")).to_be_focused()
    card.button("Refund").click()
    card.field("Amount to refund").fill("20")
    for _ in range(3):
        card.page.keyboard.press("Enter")
    expect(card.field("Amount to refund")).to_have_count(0)
    assert [call.body and call.body["amount"] for call in card.world.backend.called("refund")] == ["20.00"]


def test_a_list_that_is_read_again_leaves_the_caret_where_it_is(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment()], "requests": [a_request()]} | MAY_REFUND
    card.open()
    card.button("Refund").click()
    amount = card.field("Amount to refund")
    amount.fill("20")
    card.page.keyboard.press("ArrowLeft")
    card.world.backend.deal = card.world.backend.deal | {"requests": [a_request(), a_request(2)]}
    card.later(6)
    expect(card.widget.get_by_role("listitem")).to_have_count(3)
    card.page.keyboard.type("5")
    expect(amount).to_have_value("250")


def test_a_refund_sent_again_has_the_same_id(card: DealCardPage) -> None:
    card.world.backend.deal |= {"payments": [a_payment()]} | MAY_REFUND
    card.world.backend.script["refund"] = [Answer(502, refusal("stripe_unreachable", "Stripe does not answer."))]
    card.open()
    card.button("Refund").click()
    card.button("Refund €120.00 EUR").click()
    expect(card.widget.get_by_role("alert")).to_contain_text("Stripe does not answer.")
    card.button("Refund €120.00 EUR").click()
    expect(card.field("Amount to refund")).to_have_count(0)
    first, second = card.world.backend.called("refund")
    assert first.body == second.body
