"""The deal card's routes: shapes, rights, and what a rep may do with what was asked for."""

import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest

from backend.kommo_api.auth.widget_token import LEEWAY
from backend.storage.models import Account
from sandbox.clock import MovableClock
from sandbox.stripe import Payer
from tests.world import World, open_world
from tests.world.checkout import NO_ANSWERS, SESSIONS

UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


async def test_a_deal_without_payments_has_empty_lists(shop: World) -> None:
    deal = await shop.rep.deal()
    lists = {name: deal[name] for name in ("paid", "expected", "open", "requests", "payments")}
    assert lists == {"paid": [], "expected": [], "open": [], "requests": [], "payments": []}
    assert (deal["state"], deal["connected"], deal["mode"]) == ("pending", True, "test")


async def test_a_deal_lists_what_was_asked_in_the_shape_of_its_creation(shop: World) -> None:
    request = await shop.rep.create()
    deal = await shop.rep.deal()
    assert deal["requests"] == [request]
    assert deal["open"] == deal["expected"] == [{"amount": "120.00", "currency": "EUR"}]


async def test_a_request_names_its_rep_by_the_id_in_kommo(shop: World) -> None:
    sam = next(user for user in shop.kommo.account.users.values() if not user.is_admin)
    own = next(lead for lead in shop.kommo.account.leads.values() if lead.responsible_user_id == sam.id)
    made = await shop.rep.post("/widget/requests", shop.rep.order(lead_id=own.id), user_id=sam.id)
    (listed,) = (await shop.rep.deal(own.id))["requests"]
    assert made.json()["created_by"] == listed["created_by"] == sam.id


async def test_a_paid_deal_names_the_payment_its_amount_and_its_time(shop: World) -> None:
    request = await shop.paid()
    deal = await shop.rep.deal()
    payment = deal["payments"][0]
    intent = shop.checkout.session["payment_intent"]
    told = {name: payment[name] for name in ("id", "amount", "currency", "state", "refunded", "disputed", "request_id")}
    assert told == {
        "id": intent,
        "amount": "120.00",
        "currency": "EUR",
        "state": "paid",
        "refunded": "0.00",
        "disputed": None,
        "request_id": request["id"],
    }
    assert UTC.fullmatch(payment["paid_at"])
    assert payment["stripe_url"] == f"https://dashboard.stripe.com/test/payments/{intent}"
    assert (deal["state"], deal["paid"], deal["open"]) == ("paid", [{"amount": "120.00", "currency": "EUR"}], [])


@pytest.mark.parametrize(
    ("amount", "currency"), [("5000", "JPY"), ("12.340", "KWD"), ("1500", "ISK"), ("20000", "UGX")]
)
async def test_money_comes_back_as_it_was_typed(shop: World, amount: str, currency: str) -> None:
    await shop.paid(amount=amount, currency=currency)
    deal = await shop.rep.deal()
    assert deal["paid"] == deal["expected"] == [{"amount": amount, "currency": currency}]
    assert deal["payments"][0]["amount"] == amount


async def test_each_currency_has_its_own_sums(shop: World) -> None:
    await shop.paid(amount="10.00", currency="EUR")
    await shop.rep.create(amount="5000", currency="JPY")
    deal = await shop.rep.deal()
    assert deal["paid"] == [{"amount": "10.00", "currency": "EUR"}]
    assert deal["open"] == [{"amount": "5000", "currency": "JPY"}]


async def test_a_bank_payment_under_way_is_listed_with_what_was_asked(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    await shop.rep.check()
    deal = await shop.rep.deal()
    payment = deal["payments"][0]
    assert (deal["state"], deal["requests"][0]["state"]) == ("processing", "processing")
    assert (payment["amount"], payment["state"], payment["paid_at"]) == ("120.00", "processing", None)


async def test_a_subscription_is_paid_by_its_first_period(shop: World) -> None:
    request = await shop.paid(mode="subscription", interval="month")
    deal = await shop.rep.deal()
    assert (deal["state"], deal["payments"][0]["request_id"]) == ("paid", request["id"])


# Why is this deal not paid?


async def test_the_card_says_that_nothing_was_asked_for(shop: World) -> None:
    assert "No payment was asked for yet" in (await shop.rep.deal())["explanation"]


async def test_the_card_says_that_the_link_was_not_opened(shop: World) -> None:
    await shop.rep.create()
    assert "has not opened the link" in (await shop.rep.deal())["explanation"]


async def test_the_card_says_that_the_client_left_without_paying(shop: World) -> None:
    request = await shop.rep.create()
    await shop.open(request["url"])
    assert "opened the link and has not paid" in (await shop.rep.deal())["explanation"]


async def test_the_card_writes_the_amounts_of_the_explanation_itself(shop: World) -> None:
    await shop.rep.create(kind="deposit", deal_total="300.00")
    shop.stripe.pay_session(shop.checkout.session["id"])
    await shop.rep.check()
    path = f"{shop.url}/widget/deals/{shop.first_deal.id}"
    for query, amount in (("?amounts=marked", "{180.00 EUR} is still open"), ("", "180.00 EUR is still open")):
        answer = await shop.http.get(path + query, headers=shop.rep.token())
        assert answer.json()["explanation"].startswith(amount)


async def test_the_card_says_that_a_bank_payment_is_under_way(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    await shop.rep.check()
    assert "bank payment is under way" in (await shop.rep.deal())["explanation"]


async def test_the_card_says_why_a_card_was_declined(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("declined"))
    await shop.rep.check()
    assert "insufficient funds" in (await shop.rep.deal())["explanation"]


async def test_the_card_says_that_stripe_is_not_connected(shop: World) -> None:
    await shop.stored.use_stripe_key("")
    deal = await shop.rep.deal()
    assert deal["connected"] is False
    assert "Stripe is not connected" in deal["explanation"]


# Check


async def test_check_now_finds_a_payment_whose_webhook_never_came(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    await shop.rep.check()
    assert (await shop.rep.deal())["state"] == "paid"


async def test_check_now_says_when_stripe_is_away(shop: World) -> None:
    await shop.rep.create()
    shop.checkout.fault("html_502")
    answer = await shop.rep.post(f"/widget/deals/{shop.first_deal.id}/check")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "stripe_unreachable")


async def test_check_now_asks_nothing_about_a_paid_deal(shop: World) -> None:
    await shop.paid()
    answer = await shop.rep.post(f"/widget/deals/{shop.first_deal.id}/check")
    assert answer.json() == {"asked": 0}


# Cancel


async def test_cancelling_ends_the_session_at_stripe(shop: World) -> None:
    request = await shop.rep.create()
    answer = await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    assert (answer.status_code, answer.json()) == (200, request | {"state": "cancelled"})
    assert shop.checkout.payable == []
    assert (await shop.rep.deal())["expected"] == []


async def test_cancelling_twice_is_cancelling(shop: World) -> None:
    request = await shop.rep.create()
    await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    answer = await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


async def test_a_payment_that_slipped_through_is_not_cancelled_but_booked(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    answer = await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_paid")
    assert (await shop.rep.deal())["state"] == "paid"


async def test_what_is_being_paid_is_not_cancelled(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.start_paying(shop.checkout.session["id"])
    answer = await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert (await shop.rep.deal())["requests"][0]["state"] == "pending"


async def test_while_stripe_is_away_nothing_is_cancelled(shop: World) -> None:
    request = await shop.rep.create()
    shop.checkout.fault("html_502")
    answer = await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "stripe_unreachable")
    assert (await shop.rep.deal())["requests"][0]["state"] == "pending"


@pytest.mark.parametrize("name", ["00000000-0000-4000-8000-000000000000", "x", "%00" * 12])
async def test_what_was_never_asked_for_cannot_be_cancelled(shop: World, name: str) -> None:
    answer = await shop.rep.post(f"/widget/requests/{name}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "request_not_found")


# Replace


async def test_a_newer_request_takes_the_olders_place(shop: World) -> None:
    older = await shop.rep.create()
    newer = await shop.rep.create(amount="90.00", replaces=older["id"])
    deal = await shop.rep.deal()
    assert [request["state"] for request in deal["requests"]] == ["pending", "replaced"]
    assert deal["expected"] == [{"amount": "90.00", "currency": "EUR"}]
    assert [session["metadata"]["kommo_request_id"] for session in shop.checkout.payable] == [newer["id"]]


async def test_a_replaced_link_leads_to_the_newer_one(shop: World) -> None:
    older = await shop.rep.create()
    newer = await shop.rep.create(amount="90.00", replaces=older["id"])
    page = await shop.open(older["url"])
    assert page.status_code == 200
    assert f'href="/p/{newer["url"].rpartition("/")[2]}"' in page.text


async def test_what_was_paid_is_not_replaced(shop: World) -> None:
    older = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    answer = await shop.rep.ask(amount="90.00", replaces=older["id"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_paid")
    assert len((await shop.rep.deal())["requests"]) == 1


async def test_when_the_newer_one_is_refused_the_older_one_stays(shop: World) -> None:
    older = await shop.rep.create()
    shop.checkout.fault("html_502", SESSIONS, count=3)
    refused = await shop.rep.ask(amount="90.00", replaces=older["id"])
    assert refused.status_code == 502
    assert (await shop.open(older["url"])).headers["location"] == shop.checkout.session["url"]


async def test_a_request_of_another_deal_is_not_replaced(shop: World) -> None:
    older = await shop.rep.create()
    other = list(shop.kommo.account.leads)[1]
    answer = await shop.rep.ask(lead_id=other, replaces=older["id"])
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "replaces")


# Refund


async def test_a_whole_payment_goes_back(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    answer = await shop.rep.refund(shop.checkout.session["payment_intent"])
    assert answer.status_code == 201
    assert answer.json()["id"].startswith("re_")
    assert answer.json() | {"id": ""} == {"id": "", "amount": "120.00", "currency": "EUR", "state": "succeeded"}
    deal = await shop.rep.deal()
    assert (deal["state"], deal["payments"][0]["refunded"]) == ("refunded", "120.00")


async def test_a_part_goes_back(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    await shop.rep.refund(shop.checkout.session["payment_intent"], amount="0.20", reason="requested_by_customer")
    deal = await shop.rep.deal()
    assert (deal["state"], deal["payments"][0]["refunded"]) == ("partially_refunded", "0.20")


async def test_the_same_refund_pressed_twice_goes_back_once(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.checkout.session["payment_intent"]
    body = {"refund_id": "11111111-1111-4111-8111-111111111111", "amount": "20.00", "expected_refunded": "0.00"}
    first = await shop.rep.post(f"/widget/payments/{payment}/refund", body)
    second = await shop.rep.post(f"/widget/payments/{payment}/refund", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (await shop.rep.deal())["payments"][0]["refunded"] == "20.00"


async def test_a_refund_whose_answer_was_lost_is_finished_by_the_next_press(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.checkout.session["payment_intent"]
    body = {"refund_id": "11111111-1111-4111-8111-111111111111", "amount": "20.00", "expected_refunded": "0.00"}
    shop.checkout.fault("cut_after", "/v1/refunds", count=3)
    lost = await shop.rep.post(f"/widget/payments/{payment}/refund", body)
    again = await shop.rep.post(f"/widget/payments/{payment}/refund", body)
    assert (lost.status_code, again.status_code) == (502, 201)
    assert (await shop.rep.deal())["payments"][0]["refunded"] == "20.00"


THE_SAME = {"refund_id": "11111111-1111-4111-8111-111111111111", "amount": "20.00", "expected_refunded": "0.00"}


@pytest.mark.parametrize("kind", ["server_error", "server_error_after"])
async def test_a_fault_of_stripes_that_it_repeats_to_a_key_is_got_over(shop: World, kind: str) -> None:
    await shop.may_refund()
    await shop.paid()
    path = f"/widget/payments/{shop.checkout.session['payment_intent']}/refund"
    shop.checkout.fault(kind, "/v1/refunds", count=1)
    faults = [(await shop.rep.post(path, THE_SAME)).status_code for _ in range(2)]
    shop.clock.advance(shop.resources.settle_seconds + 1)
    again = [(await shop.rep.post(path, THE_SAME)).status_code for _ in range(2)]
    assert (faults, again) == ([502, 502], [201, 200])
    assert len(shop.stripe.default_account.shelves[False].objects["refund"]) == 1
    assert (await shop.rep.deal())["payments"][0]["refunded"] == "20.00"


@pytest.mark.parametrize("kind", NO_ANSWERS)
async def test_after_an_answer_that_is_not_stripes_money_goes_back_once(shop: World, kind: str) -> None:
    await shop.may_refund()
    await shop.paid()
    path = f"/widget/payments/{shop.checkout.session['payment_intent']}/refund"
    shop.checkout.fault(kind, "/v1/refunds", count=1)
    doubt = await shop.rep.post(path, THE_SAME)
    other = await shop.rep.post(path, THE_SAME | {"refund_id": str(uuid.uuid4())})
    again = await shop.rep.post(path, THE_SAME)
    assert (doubt.status_code, other.status_code, again.status_code) == (502, 409, 201)
    assert len(shop.stripe.default_account.shelves[False].objects["refund"]) == 1
    assert (await shop.rep.deal())["payments"][0]["refunded"] == "20.00"


async def test_a_refused_key_says_nothing_of_a_refund_that_is_in_doubt(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    path = f"/widget/payments/{shop.checkout.session['payment_intent']}/refund"
    shop.checkout.fault("empty_after", "/v1/refunds", count=1)
    await shop.rep.post(path, THE_SAME)
    await shop.stored.use_stripe_key(shop.stripe.default_account.add_restricted_key(["rak_checkout_session_write"]))
    refused = await shop.rep.post(path, THE_SAME)
    await shop.stored.use_stripe_key(shop.stripe.default_account.secret_key)
    other = await shop.rep.post(path, THE_SAME | {"refund_id": str(uuid.uuid4())})
    again = await shop.rep.post(path, THE_SAME)
    assert (refused.status_code, other.status_code, again.status_code) == (422, 409, 201)
    assert len(shop.stripe.default_account.shelves[False].objects["refund"]) == 1


async def test_a_refund_is_not_made_again_when_stripe_has_forgotten_its_key(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    path = f"/widget/payments/{shop.checkout.session['payment_intent']}/refund"
    shop.checkout.fault("cut_after", "/v1/refunds", count=3)
    assert (await shop.rep.post(path, THE_SAME)).status_code == 502
    shop.clock.advance(25 * 3600)
    answer = await shop.rep.post(path, THE_SAME)
    assert (answer.status_code, len(shop.stripe.default_account.shelves[False].objects["refund"])) == (201, 1)
    assert (await shop.rep.deal())["payments"][0]["refunded"] == "20.00"


async def test_two_reps_do_not_refund_the_same_money(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.checkout.session["payment_intent"]
    await shop.rep.refund(payment, amount="20.00")
    answer = await shop.rep.refund(payment, amount="20.00")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


async def test_never_more_goes_back_than_is_left(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.checkout.session["payment_intent"]
    await shop.rep.refund(payment, amount="20.00")
    answer = await shop.rep.refund(payment, amount="100.01", expected_refunded="20.00")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "amount_too_large")


async def test_what_is_beyond_a_limit_is_refused_with_it(shop: World) -> None:
    asked = await shop.rep.ask(amount="0.10")
    assert asked.json()["error"]["limit"] == {"amount": "0.50", "currency": "EUR"}
    await shop.stored.set_options(refunds="admins")
    await shop.paid()
    payment = (await shop.rep.deal())["payments"][0]["id"]
    refunded = await shop.rep.refund(payment, amount="120.01")
    assert refunded.json()["error"]["limit"] == {"amount": "120.00", "currency": "EUR"}


@pytest.mark.parametrize("amount", ["0", "-1", "1.001", "1e1"])
async def test_a_refund_is_a_plain_amount(shop: World, amount: str) -> None:
    await shop.may_refund()
    await shop.paid()
    answer = await shop.rep.refund(shop.checkout.session["payment_intent"], amount=amount)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "amount_invalid")


async def test_refunds_are_off_until_an_admin_allows_them(shop: World) -> None:
    await shop.paid()
    answer = await shop.rep.refund(shop.checkout.session["payment_intent"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert (await shop.rep.deal())["may"] == {"create": True, "refund": False, "payments": False}


async def test_a_known_admin_is_not_refused_while_kommo_does_not_answer(shop: World) -> None:
    await shop.stored.set_options(refunds="admins")
    await shop.paid()
    shop.clock.advance(301)  # what Kommo said of the user is not remembered any more
    shop.kommo_is_away()
    answer = await shop.rep.refund(shop.checkout.session["payment_intent"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "kommo_unreachable")


@pytest.mark.parametrize("name", ["pi_unknown", "%00", "cs_test_1"])
async def test_a_payment_that_is_not_ours_is_not_found(shop: World, name: str) -> None:
    answer = await shop.rep.refund(name)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "payment_not_found")


async def test_stripes_no_to_a_refund_leaves_it_undone(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.checkout.session["payment_intent"]
    await shop.stored.use_stripe_key(shop.stripe.default_account.add_restricted_key(["rak_checkout_session_write"]))
    refused = await shop.rep.refund(payment)
    await shop.stored.use_stripe_key(shop.stripe.default_account.secret_key)
    again = await shop.rep.refund(payment)
    assert (refused.json()["error"]["code"], again.status_code) == ("stripe_refused", 201)


# Rights


async def test_a_deal_that_kommo_does_not_have_is_not_found(shop: World) -> None:
    answer = await shop.http.get("/widget/deals/999999", headers=shop.token())
    created = await shop.rep.ask(lead_id=999999)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "deal_not_found")
    assert (created.status_code, created.json()["error"]["code"]) == (404, "deal_not_found")


async def test_without_kommos_token_nothing_is_answered(shop: World) -> None:
    answer = await shop.http.get(f"/widget/deals/{shop.first_deal.id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorized")


@pytest.mark.parametrize(
    "change",
    [{"exp": 1}, {"aud": "https://elsewhere.example"}, {"account_id": 1}, {"client_uuid": "another"}],
)
async def test_a_token_that_says_something_else_is_refused(shop: World, change: dict[str, object]) -> None:
    token = shop.token()["X-Auth-Token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    secret = shop.kommo.integrations[shop.integration.client_id].client_secret
    forged = jwt.encode(claims | change, secret, algorithm="HS256")
    answer = await shop.http.get(f"/widget/deals/{shop.first_deal.id}", headers={"X-Auth-Token": forged})
    assert answer.status_code == 401


@pytest.mark.parametrize(("algorithm", "key"), [("none", ""), ("HS512", "right"), ("HS256", "w" * 64)])
async def test_a_token_that_was_not_signed_as_kommo_signs_is_refused(shop: World, algorithm: str, key: str) -> None:
    claims = jwt.decode(shop.token()["X-Auth-Token"], options={"verify_signature": False})
    secret = shop.kommo.integrations[shop.integration.client_id].client_secret if key == "right" else key
    forged = jwt.encode(claims, secret, algorithm=algorithm)
    answer = await shop.http.get(f"/widget/deals/{shop.first_deal.id}", headers={"X-Auth-Token": forged})
    assert answer.status_code == 401


async def test_one_token_serves_many_calls_until_it_expires(shop: World) -> None:
    token, path = shop.token(), f"/widget/deals/{shop.first_deal.id}"
    expires = jwt.decode(token["X-Auth-Token"], options={"verify_signature": False})["exp"]
    answers = [await shop.http.get(path, headers=token) for _ in range(15)]
    shop.clock.advance(expires - shop.clock() - 30)
    answers += [await shop.http.get(path, headers=token) for _ in range(15)]
    assert {answer.status_code for answer in answers} == {200}
    shop.clock.advance(30 + LEEWAY + 1)
    assert (await shop.http.get(path, headers=token)).status_code == 401


async def test_a_salesperson_has_no_business_with_anothers_deal(shop: World) -> None:
    sam = next(user for user in shop.kommo.account.users.values() if not user.is_admin)
    theirs = next(lead for lead in shop.kommo.account.leads.values() if lead.responsible_user_id != sam.id)
    seen = await shop.http.get(f"/widget/deals/{theirs.id}", headers=shop.token(sam.id))
    asked = await shop.rep.post("/widget/requests", shop.rep.order(lead_id=theirs.id), user_id=sam.id)
    assert (seen.status_code, asked.status_code) == (403, 403)
    assert asked.json()["error"]["code"] == "not_allowed"


async def test_a_salesperson_asks_for_payment_on_their_own_deal(shop: World) -> None:
    sam = next(user for user in shop.kommo.account.users.values() if not user.is_admin)
    own = next(lead for lead in shop.kommo.account.leads.values() if lead.responsible_user_id == sam.id)
    answer = await shop.rep.post("/widget/requests", shop.rep.order(lead_id=own.id), user_id=sam.id)
    assert answer.status_code == 201


async def test_while_kommo_is_away_a_payment_is_created_all_the_same(shop: World) -> None:
    await shop.rep.deal()
    shop.kommo_is_away()
    created = await shop.rep.ask()
    assert created.status_code == 201
    assert len((await shop.rep.deal())["requests"]) == 1


async def test_polling_a_card_does_not_reach_kommo(shop: World) -> None:
    await shop.rep.deal()
    asked = len(shop.kommo.requests)
    for _ in range(10):
        await shop.rep.deal()
    assert len(shop.kommo.requests) == asked


async def test_the_main_contact_is_taken_where_the_card_names_none(shop: World) -> None:
    await shop.rep.create()
    main = next(contact for contact, is_main in shop.first_deal.contacts.items() if is_main)
    assert shop.checkout.session["metadata"]["kommo_contact_id"] == str(main)
    assert (await shop.rep.deal())["requests"][0]["contact_id"] == main


async def test_the_address_of_the_client_stays_here_until_an_admin_wants_it_prefilled(shop: World) -> None:
    await shop.rep.create()
    await shop.stored.set_options(prefill_email=True)
    await shop.rep.create()
    assert [session["customer_email"] for session in shop.checkout.sessions] == [None, "ana@client.example"]


async def test_an_address_that_stripe_refuses_is_left_out(shop: World) -> None:
    await shop.stored.set_options(prefill_email=True)
    odd = shop.kommo.account.add_contact("Odd One", email="not an address")
    shop.first_deal.contacts[odd.id] = False
    await shop.rep.create(contact_id=odd.id)
    assert [session["customer_email"] for session in shop.checkout.sessions] == [None]


async def test_a_body_beyond_all_reason_is_refused(shop: World) -> None:
    answer = await shop.rep.ask(description="x" * 100_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "field_invalid")


async def test_no_session_of_stripe_is_read_to_show_a_deal(shop: World) -> None:
    await shop.rep.create()
    before = len(shop.stripe.seen)
    await shop.rep.deal()
    assert len(shop.stripe.seen) == before
    assert shop.checkout.calls("GET", SESSIONS) == []


async def test_a_user_of_finance_is_told_so_and_gets_a_way_into_the_app(shop: World) -> None:
    """Kommo's settings are closed to them, so the card has the button."""
    clerk = next(user for user in shop.account.users.values() if not user.is_admin)
    refused = await shop.rep.post("/widget/setup", user_id=clerk.id)
    assert (refused.status_code, (await shop.rep.deal())["may"]["payments"]) == (403, False)
    await shop.stored.set_options(finance=[clerk.id])
    made = await shop.rep.post("/widget/setup", user_id=clerk.id)
    assert made.status_code == 201, made.text
    deal = await shop.http.get(f"/widget/deals/{shop.first_deal.id}", headers=shop.token(clerk.id))
    assert deal.json()["may"]["payments"] is True


async def test_in_test_mode_the_card_is_told_the_tag_that_a_deal_lacks(shop: World) -> None:
    assert "test_tag" not in await shop.rep.deal()  # no stage is chosen: nothing would move
    async with shop.resources.database.write() as session:
        account = await session.get_one(Account, shop.kommo.account.id)
        account.stages = {str(shop.first_deal.pipeline_id): {"first": None, "paid": 142}}
    assert (await shop.rep.deal())["test_tag"] == "stripe-test"
    shop.kommo.person().tag_lead(shop.first_deal.id, "stripe-test")
    shop.clock.advance(301)  # so long Kommo's word about a deal is used
    assert "test_tag" not in await shop.rep.deal()
