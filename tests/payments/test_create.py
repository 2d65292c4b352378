"""A payment request: what reaches Stripe, what is refused, and what a second press does."""

import uuid
from typing import Any

import pytest

from sandbox.stripe import Payer
from sandbox.stripe.doubts.switches import SWITCHES
from tests.world import World
from tests.world.checkout import NO_ANSWERS


async def test_a_request_answers_with_a_permanent_link_of_ours(shop: World) -> None:
    request = await shop.rep.create(amount="120.5")
    assert request["url"].startswith(f"{shop.resources.addresses.public_url}/p/")
    assert (request["state"], request["amount"], request["currency"]) == ("pending", "120.50", "EUR")
    assert (request["mode"], request["kind"], request["description"]) == ("payment", "full", "Website, first part")


async def test_stripe_is_told_deal_account_and_request_on_session_and_payment(shop: World) -> None:
    shop.first_deal.contacts = {5: True, 77: False}
    request = await shop.rep.create(contact_id=77)
    session = shop.checkout.session
    marks = {
        "kommo_lead_id": str(shop.first_deal.id),
        "kommo_contact_id": "77",
        "kommo_account_id": str(shop.kommo.account.id),
        "kommo_request_id": request["id"],
        "kommo_lead_url": f"{shop.kommo.base_url}/leads/detail/{shop.first_deal.id}",
    }
    asked = shop.checkout.calls()[-1].params
    assert session["client_reference_id"] == str(shop.first_deal.id)
    assert session["metadata"] == marks
    assert asked["payment_intent_data"]["metadata"] == marks


async def test_the_client_pays_what_was_asked_and_nothing_else(shop: World) -> None:
    await shop.rep.create()
    asked = shop.checkout.calls()[-1].params
    product = {"currency": "eur", "unit_amount": 12000, "product_data": {"name": "Website, first part"}}
    assert asked["line_items"] == [{"quantity": 1, "price_data": product}]
    assert all(asked[name] == {"enabled": False} for name in ("adaptive_pricing", "automatic_tax", "managed_payments"))
    assert not asked.keys() & {"allow_promotion_codes", "ui_mode", "payment_method_types", "expires_at"}


@pytest.mark.parametrize("default", SWITCHES["account_defaults"].readings)
@pytest.mark.parametrize("mode", [{}, {"mode": "subscription", "interval": "month"}])
async def test_no_default_of_the_account_changes_what_is_paid(shop: World, default: str, mode: dict[str, Any]) -> None:
    shop.stripe.ground.switches.turn({"account_defaults": default})
    await shop.paid(**mode)
    assert ((await shop.rep.deal())["state"], shop.checkout.session["amount_total"]) == ("paid", 12000)
    assert not any(shop.checkout.session[name]["enabled"] for name in ("adaptive_pricing", "managed_payments"))


async def test_checkout_sends_the_client_back_to_pages_of_ours(shop: World) -> None:
    request = await shop.rep.create()
    assert shop.checkout.session["success_url"] == f"{request['url']}/thanks"
    assert shop.checkout.session["cancel_url"] == f"{request['url']}/back"


async def test_a_subscription_renews_and_carries_its_marks_itself(shop: World) -> None:
    request = await shop.rep.create(mode="subscription", interval="month", interval_count=3)
    asked = shop.checkout.calls()[-1].params
    assert asked["line_items"][0]["price_data"]["recurring"] == {"interval": "month", "interval_count": 3}
    assert asked["subscription_data"]["metadata"]["kommo_request_id"] == request["id"]


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("5000", "JPY", 5000), ("12.340", "KWD", 12340), ("1500", "ISK", 150000), ("20000", "UGX", 2000000)],
)
async def test_amounts_travel_in_stripes_own_units(shop: World, amount: str, currency: str, minor: int) -> None:
    request = await shop.rep.create(amount=amount, currency=currency.lower())
    asked = shop.checkout.calls()[-1].params["line_items"][0]["price_data"]
    assert (asked["unit_amount"], asked["currency"]) == (minor, currency.lower())
    assert (request["amount"], request["currency"]) == (amount, currency)


async def test_the_same_press_twice_is_one_session_and_one_answer(shop: World) -> None:
    wish = shop.rep.order()
    first = await shop.rep.post("/widget/requests", wish)
    second = await shop.rep.post("/widget/requests", wish)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(shop.checkout.sessions) == 1


async def test_a_uuid_is_good_for_one_payment_only(shop: World) -> None:
    wish = shop.rep.order()
    await shop.rep.post("/widget/requests", wish)
    answer = await shop.rep.post("/widget/requests", wish | {"amount": "130.00"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert len(shop.checkout.sessions) == 1


async def test_any_writing_of_the_same_wish_is_the_same_wish(shop: World) -> None:
    wish = shop.rep.order()
    await shop.rep.post("/widget/requests", wish)
    again = wish | {"amount": "120", "currency": "eur", "request_id": wish["request_id"].upper(), "newer": True}
    assert (await shop.rep.post("/widget/requests", again)).status_code == 200


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"amount": "-1"}, "amount_invalid", "amount"),
    ({"amount": "1e3"}, "amount_invalid", "amount"),
    ({"amount": " 1"}, "amount_invalid", "amount"),
    ({"amount": "1.005"}, "amount_invalid", "amount"),
    ({"amount": 120}, "amount_invalid", "amount"),
    ({"amount": "100.5", "currency": "JPY"}, "amount_invalid", "amount"),
    ({"amount": "0.10"}, "amount_too_small", "amount"),
    ({"amount": "99999999999.99"}, "amount_too_large", "amount"),
    ({"currency": "XXX"}, "currency_unknown", "currency"),
    ({"currency": None}, "currency_unknown", "currency"),
    ({"lead_id": "12"}, "field_invalid", "lead_id"),
    ({"lead_id": 0}, "field_invalid", "lead_id"),
    ({"request_id": "not a uuid"}, "field_invalid", "request_id"),
    ({"description": " \x00\n"}, "field_invalid", "description"),
    ({"description": "x" * 251}, "field_invalid", "description"),
    ({"mode": "gift"}, "field_invalid", "mode"),
    ({"mode": "subscription"}, "field_invalid", "interval"),
    ({"mode": "subscription", "interval": "year", "interval_count": 4}, "field_invalid", "interval_count"),
    ({"interval": "month"}, "field_invalid", "interval"),
    ({"kind": "deposit", "deal_total": "100.00"}, "field_invalid", "deal_total"),
    ({"kind": "deposit", "deal_total": "x"}, "amount_invalid", "deal_total"),
    ({"deal_total": "400.00"}, "field_invalid", "deal_total"),
]


@pytest.mark.parametrize(("change", "code", "field"), REFUSED)
async def test_what_is_wrong_is_named(shop: World, change: dict[str, Any], code: str, field: str) -> None:
    answer = await shop.rep.ask(**change)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["field"], error.keys() - {"limit"}) == (code, field, {"code", "message", "field"})
    assert shop.checkout.calls() == []


@pytest.mark.parametrize("blank", ["\u200d", "\u3164", "\u2800 \u2800", "\u0301", "\u202e\u2066"])
async def test_what_is_drawn_as_nothing_describes_nothing(shop: World, blank: str) -> None:
    answer = await shop.rep.ask(description=blank)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "description")
    assert shop.checkout.sessions == []


async def test_control_characters_are_no_part_of_a_description(shop: World) -> None:
    request = await shop.rep.create(description="  Web\u202esite\n\tand\x07more 👩\u200d💻 ")
    assert request["description"] == "Web site and more 👩\u200d💻"


async def test_stripes_refusal_reaches_the_rep_in_words_and_leaves_nothing(shop: World) -> None:
    await shop.stored.use_stripe_key(shop.stripe.default_account.add_restricted_key(["rak_checkout_session_read"]))
    answer = await shop.rep.ask()
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "stripe_refused")
    assert "rak_checkout_session_write" in answer.json()["error"]["message"]
    assert (await shop.rep.deal())["requests"] == []


async def test_a_revoked_key_asks_for_the_admin(shop: World) -> None:
    await shop.stored.use_stripe_key("sk_test_revoked")
    answer = await shop.rep.ask()
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_connected")


async def test_while_stripe_is_down_nothing_is_half_made(shop: World) -> None:
    shop.checkout.fault("html_502")
    answer = await shop.rep.ask()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "stripe_unreachable")
    assert (await shop.rep.deal())["requests"] == []


async def test_the_press_after_an_outage_finishes_the_same_payment(shop: World) -> None:
    wish = shop.rep.order()
    shop.checkout.fault("cut_after", count=3)
    assert (await shop.rep.post("/widget/requests", wish)).status_code == 502
    again = await shop.rep.post("/widget/requests", wish)
    assert again.status_code == 201
    assert len(shop.checkout.sessions) == 1


async def test_a_wish_that_stripe_never_confirmed_may_be_changed(shop: World) -> None:
    wish = shop.rep.order()
    shop.checkout.fault("cut_before", count=3)
    await shop.rep.post("/widget/requests", wish)
    changed = await shop.rep.post("/widget/requests", wish | {"amount": "90.00"})
    assert (changed.status_code, changed.json()["amount"]) == (201, "90.00")


@pytest.mark.parametrize("kind", ["server_error", "server_error_after"])
async def test_a_fault_that_stripe_would_replay_does_not_stop_the_next_press(shop: World, kind: str) -> None:
    wish = shop.rep.order()
    shop.checkout.fault(kind, count=1)
    assert (await shop.rep.post("/widget/requests", wish)).status_code == 502
    assert (await shop.rep.post("/widget/requests", wish)).status_code == 201


async def test_a_refused_wish_that_comes_again_has_a_key_of_its_own(shop: World) -> None:
    wish = shop.rep.order()
    shop.checkout.fault("refused", count=1)
    refused = await shop.rep.post("/widget/requests", wish)
    again = await shop.rep.post("/widget/requests", wish)
    assert (refused.json()["error"]["code"], again.status_code) == ("stripe_refused", 201)
    by_key: dict[str, list[Any]] = {}
    for call in shop.checkout.calls():
        by_key.setdefault(call.headers["idempotency-key"], []).append(call.params)
    assert [len(bodies) for bodies in by_key.values()] == [1, 1]


@pytest.mark.parametrize("kind", NO_ANSWERS)
async def test_an_answer_that_is_not_stripes_is_no_refusal_of_a_request(shop: World, kind: str) -> None:
    wish = shop.rep.order()
    shop.checkout.fault(kind, count=1)
    assert (await shop.rep.post("/widget/requests", wish)).status_code == 502
    assert (await shop.rep.post("/widget/requests", wish)).status_code == 201
    assert len(shop.checkout.sessions) == 1


async def test_the_rest_is_what_the_deposit_left_open(shop: World) -> None:
    await shop.paid(amount="100.00", kind="deposit", deal_total="400.00")
    too_much = await shop.rep.ask(amount="300.01", kind="rest")
    rest = await shop.rep.ask(amount="300.00", kind="rest")
    assert (too_much.status_code, too_much.json()["error"]["code"]) == (422, "amount_too_large")
    assert rest.status_code == 201


async def test_there_is_no_rest_of_a_paid_deal(shop: World) -> None:
    await shop.paid()
    answer = await shop.rep.ask(kind="rest")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_paid")


async def test_what_a_bank_is_bringing_is_no_rest_that_can_be_asked_for_again(shop: World) -> None:
    await shop.paid(amount="100.00", kind="deposit", deal_total="400.00")
    await _by_bank(shop, amount="200.00", kind="rest")
    too_much, rest = await shop.rep.ask(amount="100.01", kind="rest"), await shop.rep.ask(amount="100.00", kind="rest")
    assert (too_much.status_code, too_much.json()["error"]["limit"]["amount"]) == (422, "100.00")
    assert rest.status_code == 201


@pytest.mark.parametrize("first", [{}, {"amount": "100.00", "kind": "deposit", "deal_total": "120.00"}])
async def test_there_is_no_rest_while_all_of_it_is_on_its_way(shop: World, first: dict[str, str]) -> None:
    await _by_bank(shop, **first)
    if first:
        await _by_bank(shop, amount="20.00", kind="rest")
    answer = await shop.rep.ask(amount="20.00", kind="rest")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_paid")
    assert shop.checkout.payable == []


async def _by_bank(shop: World, **more: str) -> None:
    await shop.rep.create(**more)
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    await shop.rep.check()


async def test_a_rest_that_was_paid_is_still_answered_to_a_repeated_press(shop: World) -> None:
    wish = shop.rep.order(kind="rest")
    await shop.rep.post("/widget/requests", wish)
    shop.stripe.pay_session(shop.checkout.session["id"])
    await shop.rep.check()
    again = await shop.rep.post("/widget/requests", wish)
    assert (again.status_code, again.json()["state"]) == (200, "paid")


async def test_malformed_json_is_told_so(shop: World) -> None:
    answer = await shop.http.post("/widget/requests", content=b'{"lead_id": ', headers=shop.token())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "field_invalid")


async def test_a_uuid_of_any_version_will_do(shop: World) -> None:
    assert (await shop.rep.ask(request_id=str(uuid.uuid1()))).status_code == 201


async def test_a_contact_of_another_deal_is_refused(shop: World) -> None:
    """Else Checkout's prefilled form would show any contact's e-mail address."""
    await shop.stored.set_options(prefill_email=True)
    stranger = shop.kommo.account.add_contact("Somebody Else", email="secret@client.example")
    answer = await shop.rep.ask(contact_id=stranger.id)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "contact_id")
    assert shop.checkout.sessions == []


async def test_a_contact_that_nobody_can_check_is_left_out(shop: World) -> None:
    await shop.stored.set_options(prefill_email=True)
    shop.kommo.faults.add("502_html", "/api/v4/leads*", times=0)
    await shop.rep.create(contact_id=next(iter(shop.kommo.account.contacts)))
    assert shop.checkout.session["customer_email"] is None
    assert "kommo_contact_id" not in shop.checkout.session["metadata"]


@pytest.mark.parametrize("whose", ["another deal's", "nobody's"])
async def test_only_a_request_of_the_same_deal_can_be_replaced(shop: World, whose: str) -> None:
    other = shop.kommo.account.add_lead("Other", 10).id
    older = (await shop.rep.create(lead_id=other))["id"] if whose == "another deal's" else str(uuid.uuid4())
    answer = await shop.rep.ask(replaces=older)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "replaces")
    assert "This deal has no such payment request." in answer.text
