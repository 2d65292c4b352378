"""Every state of the panel: what the backend says and what a person does to see it."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Card
from tests.browser.scripted import Answer, a_payment, a_request, money, refusal

State = Callable[[Card], None]


def loading(card: Card) -> None:
    never_answered(card, "/widget/deals/*")
    card.open()
    expect(card.widget.locator(".dealpay-loading")).to_be_visible()


def nothing_yet(card: Card) -> None:
    card.open()
    expect(card.button("Create Stripe payment")).to_be_visible()


def form(card: Card) -> None:
    card.open().begin()


def form_deposit(card: Card) -> None:
    card.open().begin()
    card.field("What for").select_option("deposit")


def form_subscription(card: Card) -> None:
    card.open().begin()
    card.field("What for").select_option("subscription")


def form_refused(card: Card) -> None:
    message = "Stripe takes at least 0.50 EUR. Ask for more, or put several deals into one payment."
    card.stage.backend.script["create"] = [Answer(422, refusal("amount_too_small", message, "amount"))]
    card.open().begin()
    card.field("Amount").fill("0.20")
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget).to_contain_text("at least")


def form_broken(card: Card) -> None:
    lost = Answer(502, refusal("stripe_unreachable", "Stripe does not answer."))
    card.stage.backend.script["create"] = [lost]
    card.open().begin()
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget).to_contain_text("Stripe does not answer")


def creating(card: Card) -> None:
    never_answered(card, "/widget/requests")
    card.open().begin()
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget).to_contain_text("Creating…")


def created(card: Card) -> None:
    card.open().begin()
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget).to_contain_text("The link is ready")


def created_with_code(card: Card) -> None:
    created(card)
    card.widget.get_by_text("Show QR code").click()


def listed(card: Card) -> None:
    card.stage.backend.deal |= full_list()
    card.open()
    expect(card.widget.get_by_role("listitem").first).to_be_visible()


def cancelling(card: Card) -> None:
    listed(card)
    card.button("Cancel").first.click()
    expect(card.widget).to_contain_text("Cancel this link?")


def refunding(card: Card) -> None:
    card.stage.backend.deal |= full_list() | {"may": {"create": True, "refund": True}}
    card.open()
    card.button("Refund").first.click()
    expect(card.button("Refund €360.00")).to_be_visible()


def in_test_mode(card: Card) -> None:
    card.stage.backend.deal |= full_list() | {"mode": "test", "state": "paid"}
    card.open()
    expect(card.widget).to_contain_text("Test mode")


def failed(card: Card) -> None:
    card.stage.backend.always["deal"] = Answer(500, "<h1>Bad</h1>")
    card.open()
    expect(card.widget).to_contain_text("can't be shown")


def disconnected(card: Card) -> None:
    refused = refusal("not_connected", "Stripe is not connected to this account yet.")
    card.stage.backend.always["deal"] = Answer(409, refused)
    card.open()
    expect(card.widget).to_contain_text("not connected yet")


def forbidden(card: Card) -> None:
    refused = refusal("not_allowed", "Your rights in Kommo do not include this deal.")
    card.stage.backend.always["deal"] = Answer(403, refused)
    card.open()
    expect(card.widget).to_contain_text("do not include")


def unsaved(card: Card) -> None:
    card.open(0)
    expect(card.widget).to_contain_text("Save the deal first")


def never_answered(card: Card, path: str) -> None:
    card.page.route(f"{card.stage.backend_url}{path}", lambda _: None)


def full_list() -> dict[str, object]:
    return {
        "state": "partially_paid",
        "expected": [money("1200.00")],
        "paid": [money("360.00")],
        "open": [money("840.00")],
        "explanation": "The client opened the link yesterday at 17:20 and left.",
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


STATES: dict[str, State] = {
    state.__name__: state
    for state in (
        loading,
        nothing_yet,
        form,
        form_deposit,
        form_subscription,
        form_refused,
        form_broken,
        creating,
        created,
        created_with_code,
        listed,
        cancelling,
        refunding,
        in_test_mode,
        failed,
        disconnected,
        forbidden,
        unsaved,
    )
}
