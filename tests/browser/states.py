"""Every state of the panel: what the backend says and what a person does to see it."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, Json, a_payment, a_request, money, refusal

State = Callable[[DealCardPage], None]

MAY_REFUND: Json = {"may": {"create": True, "refund": True}}
LONG_NAME = (
    "Komplettsanierung-Dachgeschosswohnung Friedrich-Ebert-Straße 118, Bauabschnitt II: Elektroinstallationsarbeiten"
)


def loading(card: DealCardPage) -> None:
    never_answered(card, "/widget/deals/*")
    card.open()
    expect(card.widget.locator(".dealpay-loading")).to_be_visible()


def loading_for_long(card: DealCardPage) -> None:
    loading(card)
    card.later(6)
    expect(card.widget).to_contain_text("longer than usual", timeout=30_000)


def nothing_yet(card: DealCardPage) -> None:
    card.open()
    expect(card.button("Create Stripe payment")).to_be_visible()


def nothing_yet_in_test_mode(card: DealCardPage) -> None:
    card.world.backend.deal |= {"mode": "test", "test_tag": "stripe-test"}
    card.open()
    expect(card.widget).to_contain_text("Test mode")
    expect(card.widget).to_contain_text("Add the tag stripe-test")


def may_not_create(card: DealCardPage) -> None:
    card.world.backend.deal |= {"may": {"create": False, "refund": False}}
    card.open()
    expect(card.widget).to_contain_text("An administrator can change that")


def form(card: DealCardPage) -> None:
    card.open().begin()


def form_deposit(card: DealCardPage) -> None:
    card.open().begin()
    card.field("Type of payment").select_option("deposit")


def form_subscription(card: DealCardPage) -> None:
    card.open().begin()
    card.field("Type of payment").select_option("subscription")


def form_beside_a_waiting_link(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()], "expected": [money("120.00")], "open": [money("120.00")]}
    card.open().begin()
    expect(card.widget).to_contain_text("already waiting")


def form_refused(card: DealCardPage) -> None:
    message = "Stripe takes at least 0.50 EUR. Ask for more, or put several deals into one payment."
    card.world.backend.script["create"] = [Answer(422, refusal("amount_too_small", message, "amount"))]
    card.open().begin()
    card.field("Amount").fill("0.20")
    card.submit.click()
    expect(card.widget).to_contain_text("at least")


def form_broken(card: DealCardPage) -> None:
    lost = Answer(502, refusal("stripe_unreachable", "Stripe does not answer."))
    card.world.backend.script["create"] = [lost]
    card.open().begin()
    card.submit.click()
    expect(card.widget).to_contain_text("Stripe can't be reached")


def creating(card: DealCardPage) -> None:
    never_answered(card, "/widget/requests*")
    card.open().begin()
    card.submit.click()
    expect(card.widget).to_contain_text("Creating…")


def creating_for_long(card: DealCardPage) -> None:
    creating(card)
    card.later(6)
    expect(card.widget).to_contain_text("nothing is made twice")


def created(card: DealCardPage) -> None:
    card.open().begin()
    card.submit.click()
    expect(card.widget).to_contain_text("The link is ready")


def created_with_code(card: DealCardPage) -> None:
    created(card)
    card.widget.get_by_text("Show QR code").click()


def created_and_cancelling(card: DealCardPage) -> None:
    created(card)
    card.button("Cancel link").click()
    expect(card.widget).to_contain_text("Cancel this link?")


def listed(card: DealCardPage) -> None:
    card.world.backend.deal |= full_list()
    card.open()
    expect(card.widget.get_by_role("listitem").first).to_be_visible()


def listed_with_earlier_links(card: DealCardPage) -> None:
    listed(card)
    card.widget.get_by_text("Earlier links (2)").click()


def listed_with_statement(card: DealCardPage) -> None:
    card.world.backend.deal |= full_list() | {"statement_url": "https://pay.example.com/d/abcd2345efgh6789"}
    card.open()
    expect(card.widget).to_contain_text("Statement for the client")


def checking(card: DealCardPage) -> None:
    never_answered(card, "/widget/deals/*/check*")
    listed(card)
    card.button("Check now").click()
    expect(card.widget).to_contain_text("Checking…")


def check_refused(card: DealCardPage) -> None:
    card.world.backend.always["check"] = Answer(502, refusal("stripe_unreachable", "Stripe can't be reached."))
    listed(card)
    card.button("Check now").click()
    expect(card.widget.get_by_role("alert")).to_be_visible()


def refresh_failed(card: DealCardPage) -> None:
    listed(card)
    card.world.backend.always["deal"] = Answer(500, "<h1>Bad</h1>")
    card.later(6)
    expect(card.widget.get_by_role("alert")).to_be_visible()


def cancelling(card: DealCardPage) -> None:
    listed(card)
    card.button("Cancel").first.click()
    expect(card.widget).to_contain_text("Cancel this link?")


def cancel_refused(card: DealCardPage) -> None:
    card.world.backend.always["cancel"] = Answer(409, refusal("conflict", "The client is paying at this moment."))
    cancelling(card)
    card.button("Cancel link").click()
    expect(card.widget.get_by_role("alert")).to_be_visible()


def refunding(card: DealCardPage) -> None:
    card.world.backend.deal |= full_list() | MAY_REFUND
    card.open()
    card.button("Refund").first.click()
    expect(card.button("Refund €360.00 EUR")).to_be_visible()


def refund_refused(card: DealCardPage) -> None:
    message = "Part of this payment was refunded meanwhile. Reload the deal."
    card.world.backend.always["refund"] = Answer(409, refusal("conflict", message, "expected_refunded"))
    refunding(card)
    card.button("Refund €360.00 EUR").click()
    expect(card.widget.get_by_role("alert")).to_be_visible()


def in_test_mode(card: DealCardPage) -> None:
    card.world.backend.deal |= full_list() | {"mode": "test", "test_tag": "stripe-test", "state": "paid"}
    card.open()
    expect(card.widget).to_contain_text("Test mode")


def paid(card: DealCardPage) -> None:
    done = a_request(1, state="paid", amount="1200.00", created_by="Sam Sales")
    card.world.backend.deal |= {
        "state": "paid",
        "expected": [money("1200.00")],
        "paid": [money("1200.00")],
        "explanation": "Everything that was asked for is paid.",
        "requests": [done],
        "payments": [a_payment(1, amount="1200.00", request_id=done["id"])],
    }
    card.open()
    expect(card.widget.get_by_role("listitem")).to_contain_text("Paid")


def of_a_newer_backend(card: DealCardPage) -> None:
    card.world.backend.api = 1000
    unknown: Json = {"disputed": "appealed", "state": "on_hold"}
    card.world.backend.deal |= {"state": "on_hold", "requests": [a_request(state="paused")], "novelty": {"a": 1}}
    card.world.backend.deal |= {"payments": [a_payment(**unknown)]}
    card.open()
    expect(card.widget).to_contain_text("uploads the new widget.zip")


def failed(card: DealCardPage) -> None:
    card.world.backend.always["deal"] = Answer(500, "<h1>Bad</h1>")
    card.open()
    expect(card.widget).to_contain_text("can't be shown")


def without_tokens(card: DealCardPage) -> None:
    card.open(ajax="absent")
    expect(card.widget).to_contain_text("must install the integration again")


def disconnected(card: DealCardPage) -> None:
    refused = refusal("not_connected", "Stripe is not connected to this account yet.")
    card.world.backend.always["deal"] = Answer(409, refused)
    card.open()
    expect(card.button("Open set-up")).to_be_visible()


def disconnected_for_a_rep(card: DealCardPage) -> None:
    card.world.backend.deal |= {"connected": False}
    card.open(user=card.world.rep)
    expect(card.widget).to_contain_text("An administrator connects it")


def disconnected_with_payments(card: DealCardPage) -> None:
    explained = "Stripe is not connected. Ask an administrator to open the settings."
    card.world.backend.deal |= full_list() | {"connected": False, "explanation": explained}
    card.open()
    expect(card.button("Open set-up")).to_be_visible()


def forbidden(card: DealCardPage) -> None:
    refused = refusal("not_allowed", "In Kommo you may not see this deal.")
    card.world.backend.always["deal"] = Answer(403, refused)
    card.open()
    expect(card.widget).to_contain_text("You can't see the payments of this deal")


def unsaved(card: DealCardPage) -> None:
    card.open(0)
    expect(card.widget).to_contain_text("Save the deal first")


def with_long_words(language: str) -> State:
    """Long names, large sums, and the texts of one language, in the list and in a question in it."""

    def shown(card: DealCardPage) -> None:
        card.world.backend.deal |= long_list() | MAY_REFUND
        card.open(lang=language)
        card.widget.locator("[data-key^=refund]").first.click()
        card.widget.locator("[data-key^=cancel]").first.focus()

    return shown


def form_with_long_words(language: str) -> State:
    def shown(card: DealCardPage) -> None:
        card.world.kommo.account.leads[card.world.leads[0]].name = LONG_NAME
        card.world.kommo.account.leads[card.world.leads[0]].price = 98_765_432.10
        card.world.backend.deal |= {"requests": [a_request(1, amount="98765432.10", currency="COP")], "mode": "test"}
        card.open(lang=language)
        card.widget.locator("[data-key=begin]").click()
        card.widget.locator("select").first.select_option("deposit")

    return shown


def settings_window(card: DealCardPage) -> None:
    card.open_settings()
    expect(card.button("Open set-up")).to_be_visible()


def settings_window_refused(card: DealCardPage) -> None:
    refused = refusal("not_allowed", "Only an administrator of this account may open the set-up.")
    card.world.backend.always["setup"] = Answer(403, refused)
    settings_window(card)
    card.button("Open set-up").click()
    expect(card.widget).to_contain_text("Only an administrator")


def own_page(card: DealCardPage) -> None:
    card.page.goto(f"{card.world.kommo_url}/settings/widgets/{card.world.integration.widget_code}")
    expect(card.button("Open set-up")).to_be_visible()


def never_answered(card: DealCardPage, path: str) -> None:
    card.page.route(f"{card.world.backend_url}{path}", lambda _: None)


def full_list() -> Json:
    return {
        "state": "partially_paid",
        "expected": [money("1200.00")],
        "paid": [money("360.00")],
        "open": [money("840.00")],
        "explanation": "The client opened the link and has not paid. The link stays valid: remind the client.",
        "requests": [
            a_request(1, amount="840.00", kind="rest", created_by="Sam Sales", opened=True),
            a_request(2, amount="49.00", state="processing", description="Hosting, a month", mode="subscription"),
            a_request(3, amount="360.00", state="paid", kind="deposit", description="Deposit for the website"),
            a_request(4, amount="1200.00", state="cancelled"),
            a_request(5, amount="1150.00", state="replaced"),
        ],
        "payments": [
            a_payment(1, amount="360.00", request_id=a_request(3)["id"]),
            a_payment(2, amount="49.00", refunded="49.00", paid_at="2026-10-20T11:30:00Z"),
            a_payment(3, amount="99.00", disputed="open", paid_at="2025-09-20T11:30:00Z"),
        ],
    }


def long_list() -> Json:
    big = {"amount": "9876543210.00", "currency": "COP", "description": LONG_NAME}
    maker = "Maximiliana Konstantinopoulou-Grossherzogstein"
    return full_list() | {
        "state": "partially_refunded",
        "mode": "test",
        "expected": [money("9876543210.00", "COP"), money("1200.00")],
        "paid": [money("1234567890.00", "COP")],
        "explanation": f"{LONG_NAME}. " * 2,
        "statement_url": "https://pay.example.com/d/abcd2345efgh6789",
        "requests": [
            a_request(1, kind="rest", created_by=maker, opened=True, **big),
            a_request(2, state="paid", **big),
        ],
        "payments": [
            a_payment(1, amount="1234567890.00", currency="COP", refunded="1.00", request_id=a_request(2)["id"]),
            a_payment(2, disputed="lost", stripe_url=None, id=f"pi_{'3QabcDEFghiJKL' * 3}"),
        ],
    }


def link_to_send(card: DealCardPage) -> None:
    """The way and the words are shown before it goes."""
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    card.button("Send").click()
    expect(card.button("Send now")).to_be_visible()


def sent_and_to_be_reminded(card: DealCardPage) -> None:
    link = a_request()
    told = [
        {"id": "s-2", "request_id": link["id"], "at": "2026-11-21T09:30:00Z", "by": 1,
         "text": "Sent in the chat. Read."},
        {"id": "s-1", "request_id": link["id"], "at": "2026-11-20T09:30:00Z", "rule": LONG_NAME,
         "text": "Not known whether the bot “Zahlungserinnerungsassistent” was started; a task says so."},
    ]  # fmt: skip
    past = [
        {"request_id": link["id"], "step": "1", "state": "sent", "reason": "", "at": "2026-11-21T10:00:00Z", "by": 0},
        {
            "request_id": link["id"],
            "step": "-2",
            "state": "skipped",
            "reason": "tag",
            "at": "2026-11-19T10:00:00Z",
            "by": 0,
        },
    ]
    coming = [{"request_id": link["id"], "step": "2", "channel": "bot", "at": "2026-11-22T10:00:00Z"}]
    log = ["Nov 20, 9:29 AM: the stage asked for 120.00 USD.", f"Nov 19, 9:29 AM: {LONG_NAME}"]
    card.world.backend.deal |= {
        "requests": [link], "sendings": told, "log": log,
        "reminders": {"stopped": False, "coming": coming, "past": past},
    }  # fmt: skip
    card.open()
    expect(card.widget.locator("[data-key='reminder-stop']")).to_be_visible()


def reminders_stopped(card: DealCardPage) -> None:
    stopped = {"stopped": True, "coming": [], "past": []}
    card.world.backend.deal |= {"requests": [a_request()], "reminders": stopped}
    card.open()
    expect(card.button("Send")).to_be_visible()


PANEL: dict[str, State] = {
    state.__name__: state
    for state in (
        loading,
        loading_for_long,
        nothing_yet,
        nothing_yet_in_test_mode,
        may_not_create,
        form,
        form_deposit,
        form_subscription,
        form_beside_a_waiting_link,
        form_refused,
        form_broken,
        creating,
        creating_for_long,
        created,
        created_with_code,
        created_and_cancelling,
        listed,
        listed_with_earlier_links,
        listed_with_statement,
        checking,
        check_refused,
        refresh_failed,
        cancelling,
        cancel_refused,
        refunding,
        refund_refused,
        in_test_mode,
        paid,
        of_a_newer_backend,
        failed,
        without_tokens,
        disconnected,
        disconnected_for_a_rep,
        disconnected_with_payments,
        forbidden,
        unsaved,
        link_to_send,
        sent_and_to_be_reminded,
        reminders_stopped,
    )
}
PANEL |= {f"long_words_{language}": with_long_words(language) for language in ("en", "es", "pt", "tr", "id")}
PANEL |= {f"form_with_long_words_{language}": form_with_long_words(language) for language in ("es", "pt", "tr", "id")}

WIDE: dict[str, State] = {state.__name__: state for state in (settings_window, settings_window_refused, own_page)}
"""What has a window or a page for itself."""
