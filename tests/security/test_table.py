"""What must hold against somebody who means harm, each line with the test that would fail.

| threat | held by |
|---|---|
| JWT with ``none``, a wrong algorithm, key, audience, account, or expired | ``test_no_route_of_the_card_takes_a_token_that_kommo_did_not_make_for_us_now`` here; ``tests/kommo_api/auth/test_widget_token.py`` |
| the same token 500 times until its ``exp``, and not after | ``tests/web/test_widget.py``: ``test_one_token_serves_many_calls_until_it_expires`` |
| CORS from a foreign origin | ``test_a_foreign_page_can_not_read_an_answer`` here; ``tests/web/test_middleware.py`` |
| SSRF by ``referer`` | ``test_no_referer_makes_us_call_another_host`` here; ``tests/kommo_api/test_hosts.py`` |
| open redirect | ``test_no_redirect_leaves_for_a_host_that_the_caller_named`` here |
| tampered and guessed pay links | ``test_a_tampered_link_is_unknown_and_makes_nothing`` here; guesses are counted: ``tests/web/client/test_links.py``, ``tests/web/client/test_statement.py`` |
| a rep without rights asks for another's deal, or for a refund | ``test_a_rep_without_rights_…`` here; every route: ``tests/accounts/test_permissions.py`` |
| a uuid of account B sent by A | ``test_a_neighbours_uuid_…`` here; all else of two accounts: ``tests/accounts/test_two_accounts.py`` |
| secrets in logs, pages, answers and the database file | ``tests/security/test_canaries.py`` |
| hostile strings | ``tests/security/test_pages.py``; in the widget ``tests/browser/test_hostile.py`` |
| one tenant's user, strangers and half-sent bodies slow the other tenant | ``tests/security/test_under_siege.py`` |
| forged and mutated webhooks | ``tests/web/test_stripe_webhook.py`` |
"""  # noqa: E501 (a table)

import uuid
from typing import Any

import httpx
import jwt
import pytest

from backend.storage.models import PaymentRequest, RefundRequest
from tests.accounts.connecting import CALLBACK
from tests.security.conftest import TwoAccounts

EVIL = "evil.example"


def _wish(lead_id: int, **more: Any) -> dict[str, Any]:
    known = {"request_id": str(uuid.uuid4()), "amount": "20.00", "currency": "USD", "description": "Sofa"}
    return known | {"lead_id": lead_id, "mode": "payment"} | more


async def _ask(
    accounts: TwoAccounts, method: str, path: str, headers: dict[str, str], body: Any = None
) -> httpx.Response:
    return await accounts.product.http.request(method, accounts.product.url + path, json=body, headers=headers)


def _routes(lead_id: int) -> list[tuple[str, str, Any]]:
    """Every route of the card, as a caller with rights would use it."""
    other = str(uuid.uuid4())
    return [
        ("GET", f"/widget/deals/{lead_id}", None),
        ("POST", "/widget/requests", _wish(lead_id)),
        ("POST", f"/widget/deals/{lead_id}/check", None),
        ("POST", f"/widget/requests/{other}/cancel", None),
        ("POST", f"/widget/requests/{other}/preview", None),
        ("GET", f"/widget/requests/{other}/sending", None),
        ("POST", f"/widget/requests/{other}/send", {"sending_id": other}),
        ("POST", f"/widget/requests/{other}/reminders/skip", {"step": "1"}),
        ("POST", f"/widget/requests/{other}/reminders/send", {"step": "1"}),
        ("POST", f"/widget/deals/{lead_id}/reminders", {"stopped": True}),
        ("POST", "/widget/payments/pi_1/refund", {"refund_id": other, "expected_refunded": "0.00"}),
        ("POST", "/widget/setup", None),
        ("POST", "/widget/rules", {"settings": {}}),
        ("POST", "/widget/rules/change", {"key": "a" * 32, "settings": {}}),
        ("POST", "/widget/rules/look", {"key": "a" * 32}),
        ("GET", "/widget/rules/choices", None),
        ("GET", "/widget/rules/waits", None),
        ("POST", "/widget/lists/preview", {"lead_ids": [lead_id]}),
        ("POST", "/widget/lists", {"run_id": other, "lead_ids": [lead_id]}),
        ("GET", f"/widget/lists/{other}", None),
    ]


# Tokens


async def test_no_route_of_the_card_takes_a_token_that_kommo_did_not_make_for_us_now(accounts: TwoAccounts) -> None:
    product = accounts.product
    true, secret = product.token()["X-Auth-Token"], product.integration.client_secret
    said = jwt.decode(true, options={"verify_signature": False})
    forged = {
        "none": jwt.encode(said, "", algorithm="none"),
        "another algorithm": jwt.encode(said, secret, algorithm="HS512"),
        "another key": jwt.encode(said, "k" * 64, algorithm="HS256"),
        "the neighbour's key": jwt.encode(said, accounts.integration.client_secret, algorithm="HS256"),
        "another audience": jwt.encode(said | {"aud": f"https://{EVIL}"}, secret, algorithm="HS256"),
        "the neighbour's account": jwt.encode(said | {"account_id": accounts.neighbour.id}, secret, algorithm="HS256"),
        "no such account": jwt.encode(said | {"account_id": 1}, secret, algorithm="HS256"),
        "expired": jwt.encode(said | {"exp": said["iat"] - 61}, secret, algorithm="HS256"),
        "no signature": true.rpartition(".")[0] + ".",
        "nothing": "",
    }
    lead_id, before = product.lead(), await product.rows(PaymentRequest)
    for method, path, body in _routes(lead_id):
        for name, token in forged.items():
            answer = await _ask(accounts, method, path, {"X-Auth-Token": token}, body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorized"), (name, path)
        assert (await _ask(accounts, method, path, product.token(), body)).status_code != 401, path
    assert len(await product.rows(PaymentRequest)) == len(before) + 1  # the one with the true token


# Other sites


@pytest.mark.parametrize("origin", [f"https://{EVIL}", f"https://kommo.com.{EVIL}", "http://acme.kommo.com", "null"])
async def test_a_foreign_page_can_not_read_an_answer(accounts: TwoAccounts, origin: str) -> None:
    product, asked = accounts.product, {"Access-Control-Request-Method": "GET", "Origin": origin}
    path = f"/widget/deals/{product.lead()}"
    preflight = await _ask(accounts, "OPTIONS", path, asked | {"Access-Control-Request-Headers": "x-auth-token"})
    answer = await _ask(accounts, "GET", path, product.token() | {"Origin": origin})
    assert preflight.status_code == 403
    for headers in (preflight.headers, answer.headers):
        assert [name for name in headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize(
    "referer",
    [EVIL, f"{EVIL}#.kommo.com", f"{EVIL}/.kommo.com", f"acme.kommo.com.{EVIL}", f"acme.kommo.com@{EVIL}",
     "169.254.169.254", "localhost:22", "[::1]", "acme.kommo.com:8443", "a.b.kommo.com", "acme.kommo.com\\@evil"],
)  # fmt: skip
async def test_no_referer_makes_us_call_another_host(accounts: TwoAccounts, referer: str) -> None:
    """What the sandbox's Kommo was asked is all that was asked: our client reaches every other host as well."""
    product = accounts.product
    begun = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
    known = {
        "code": product.kommo.issue_code(product.integration.client_id),
        "referer": referer,
        "client_id": product.integration.client_id,
        "state": httpx.URL(begun.headers["location"]).params["state"],
    }
    called: list[str] = []

    async def hear(request: httpx.Request) -> None:
        called.append(request.url.host)

    product.resources.kommo_http.event_hooks["request"].append(hear)
    try:
        answer = await product.http.get(f"{product.url}{CALLBACK}", params=known)
    finally:
        product.resources.kommo_http.event_hooks["request"].remove(hear)
    assert answer.status_code == 400
    assert set(called) <= {"127.0.0.1"}  # the worker asks Kommo as ever


async def test_no_redirect_leaves_for_a_host_that_the_caller_named(accounts: TwoAccounts) -> None:
    """By address, by parameter, by the Host header, by a proxy's headers."""
    product = accounts.product
    link = await product.link(product.lead())
    token = link.rpartition("/")[2]
    named = {"Host": EVIL, "X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}", "Origin": f"https://{EVIL}"}
    asks = f"next=https://{EVIL}&url=//{EVIL}&redirect_uri=https://{EVIL}&return=https://{EVIL}&done=//{EVIL}"
    paths = [
        f"/p/{token}", f"/p/{token}/", f"/p/{token}/thanks", "/", "/admin", "/admin/", "/admin/accounts/",
        "/oauth/kommo/start", "/oauth/kommo/start/", f"//{EVIL}/admin/", f"/%2f{EVIL}/admin/", f"/\\{EVIL}/admin/",
        f"/p/{token}/../../{EVIL}/", f"/d//{EVIL}/",
    ]  # fmt: skip
    redirected = 0
    for path in paths:
        for headers in (product.admin, product.admin | named):
            answer = await product.http.get(f"{product.url}{path}?{asks}", headers=headers)
            assert EVIL not in httpx.URL(answer.headers.get("location", "")).host, (path, answer.headers)
            assert answer.status_code < 500, path
            redirected += "location" in answer.headers
    assert redirected >= 4  # the link and the way to Kommo
    assert (await product.http.get(f"{product.url}/admin/")).status_code == 200


# Pay links


async def test_a_tampered_link_is_unknown_and_makes_nothing(accounts: TwoAccounts) -> None:
    product = accounts.product
    token = (await product.link(product.lead())).rpartition("/")[2]
    made = len(product.stripe.seen)
    swapped = "b" if token[3] == "a" else "a"
    forged = [token[:-1], token + "a", token[:3] + swapped + token[4:], token + "%00", f"a%20{token}",
              token[:-1] + "é", token[:-1] + "_", token[:-1] + "%25", f"{token}' OR '1'='1", token[::-1]]  # fmt: skip
    statuses = {one: (await product.http.get(f"{product.url}/p/{one}")).status_code for one in forged}
    assert set(statuses.values()) <= {404, 429}, statuses
    assert len(product.stripe.seen) == made
    assert (await product.http.get(f"{product.url}/p/{token}")).status_code == 303


# Rights


async def test_a_rep_without_rights_gets_nothing_of_anothers_deal(accounts: TwoAccounts) -> None:
    product = accounts.product
    rep, lead_id = product.account.add_salesperson("Rep", "rep@shop.example"), product.lead()
    link = await product.link(lead_id)
    for method, path, body in _routes(lead_id)[:3]:
        answer = await _ask(accounts, method, path, product.token(rep.id), body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed"), path
        assert link not in answer.text


async def test_a_rep_without_rights_refunds_nothing(accounts: TwoAccounts) -> None:
    """Also on an own deal, and whoever is an admin in Kommo, until an admin allowed it here."""
    product = accounts.product
    lead_id = await product.paid_deal()
    rep = product.account.add_salesperson("Rep", "rep2@shop.example")
    product.account.leads[lead_id].responsible_user_id = rep.id
    payment = product.fields(lead_id)["STRIPE_PAYMENT_INTENT"]
    body = {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"}
    for token in (product.token(rep.id), product.token()):
        answer = await _ask(accounts, "POST", f"/widget/payments/{payment}/refund", token, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert await product.rows(RefundRequest) == []


# The neighbour's uuid


async def test_a_neighbours_uuid_is_a_number_like_any_other(accounts: TwoAccounts) -> None:
    """Asked for with other content: neither a conflict nor a word of theirs, and theirs stays as it is."""
    product, theirs = accounts.product, accounts.neighbour.add_lead("Theirs", 20).id
    wish = _wish(theirs, description="Theirs alone")
    made = await _ask(accounts, "POST", "/widget/requests", accounts.their_token, wish)
    assert made.status_code == 201, made.text
    before = (await _ask(accounts, "GET", f"/widget/deals/{theirs}", accounts.their_token)).json()
    cancelled = await _ask(accounts, "POST", f"/widget/requests/{wish['request_id']}/cancel", product.token())
    mine = _wish(product.lead(), request_id=wish["request_id"], amount="7.00", description="Mine")
    asked = await _ask(accounts, "POST", "/widget/requests", product.token(), mine)
    assert (cancelled.status_code, asked.status_code) == (404, 201)
    assert "Theirs" not in asked.text + cancelled.text
    assert asked.json()["url"] != made.json()["url"]
    after = (await _ask(accounts, "GET", f"/widget/deals/{theirs}", accounts.their_token)).json()
    assert after == before


async def test_a_neighbours_request_is_not_replaced(accounts: TwoAccounts) -> None:
    product, theirs = accounts.product, accounts.neighbour.add_lead("Theirs", 20).id
    wish = _wish(theirs)
    await _ask(accounts, "POST", "/widget/requests", accounts.their_token, wish)
    newer = _wish(product.lead(), replaces=wish["request_id"])
    answer = await _ask(accounts, "POST", "/widget/requests", product.token(), newer)
    assert answer.status_code == 422, answer.text
    (request,) = (await _ask(accounts, "GET", f"/widget/deals/{theirs}", accounts.their_token)).json()["requests"]
    assert request["state"] == "pending"
