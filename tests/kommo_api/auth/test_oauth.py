"""Codes and refresh tokens become pairs; every other answer is a definite no or a doubt."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from backend.kommo_api.auth import oauth
from backend.kommo_api.auth.oauth import TokenRefused, uninstall_signature_ok
from backend.kommo_api.auth.refusals import Refusal
from backend.kommo_api.auth.tokens import parse_pair, token_account_id, token_api_domain
from backend.kommo_api.errors import (
    KommoBlocked,
    KommoConnectionError,
    KommoError,
    KommoRateLimited,
    KommoTooSlow,
    KommoUnavailable,
    KommoUnpaid,
)
from sandbox.kommo.accounts.grants import Integration
from sandbox.serving import free_port
from tests.kommo_api.conftest import REDIRECT, Kommo
from tests.kommo_api.fixed_answer import PAGE, Answer, problem, saying

SECRET = "made-up-secret"


def keys(integration: Integration) -> dict[str, Any]:
    return {
        "client_id": integration.client_id,
        "client_secret": integration.client_secret,
        "redirect_uri": integration.redirect_uri,
    }


async def exchange(kommo: Kommo, code: str, **other: str) -> bytes:
    return await oauth.exchange_code(kommo.http, kommo.base_url, code=code, **(keys(kommo.integration) | other))


async def refreshed(kommo: Kommo, token: str, **other: str) -> bytes:
    return await oauth.refresh(kommo.http, kommo.base_url, refresh_token=token, **(keys(kommo.integration) | other))


def test_the_consent_page_is_asked_with_our_state() -> None:
    address = urlsplit(oauth.authorize_url("https://www.kommo.com/oauth", "id-1", "a/b&c"))
    assert parse_qs(address.query) == {"client_id": ["id-1"], "state": ["a/b&c"], "mode": ["popup"]}
    assert address.path == "/oauth"


async def test_a_code_becomes_a_pair(kommo: Kommo) -> None:
    raw = await exchange(kommo, kommo.world.issue_code(kommo.integration.client_id))
    pair = parse_pair(raw, now=1000.0)
    assert pair.expires_at == 1000.0 + 86_400
    assert token_account_id(pair.access_token) == kommo.account.id


async def test_a_refresh_token_becomes_the_next_pair(kommo: Kommo) -> None:
    first = kommo.world.issue_pair(kommo.integration.client_id, kommo.account.admin.id)
    pair = parse_pair(await refreshed(kommo, first.refresh or ""), now=0.0)
    assert pair.refresh_token not in ("", first.refresh)


@pytest.mark.parametrize("status", ["400", "401"])
async def test_a_code_used_twice_is_refused_with_kommos_hint(kommo: Kommo, status: str) -> None:
    kommo.play(code_error_status=status)
    code = kommo.world.issue_code(kommo.integration.client_id)
    await exchange(kommo, code)
    with pytest.raises(TokenRefused) as caught:
        await exchange(kommo, code)
    assert (caught.value.hint, caught.value.status) == ("Authorization code has been revoked", int(status))
    assert not caught.value.doubtful


async def test_an_old_code_is_refused(kommo: Kommo) -> None:
    code = kommo.world.issue_code(kommo.integration.client_id)
    kommo.world.clock.advance(1201)  # type: ignore[attr-defined]
    with pytest.raises(TokenRefused, match="expired"):
        await exchange(kommo, code)


async def test_a_wrong_secret_is_told_from_a_wrong_code(kommo: Kommo) -> None:
    code = kommo.world.issue_code(kommo.integration.client_id)
    with pytest.raises(TokenRefused) as wrong_secret:
        await exchange(kommo, code, client_secret=SECRET)
    with pytest.raises(TokenRefused) as wrong_code:
        await exchange(kommo, "nonsense")
    assert wrong_secret.value.reason is Refusal.KEYS
    assert wrong_code.value.reason is Refusal.CODE_UNREADABLE


async def test_a_spent_refresh_token_is_refused(kommo: Kommo) -> None:
    first = kommo.world.issue_pair(kommo.integration.client_id, kommo.account.admin.id)
    await refreshed(kommo, first.refresh or "")
    with pytest.raises(TokenRefused, match="revoked"):
        await refreshed(kommo, first.refresh or "")


@pytest.mark.parametrize(
    ("answer", "kind", "doubtful"),
    [
        (saying(403, PAGE), KommoBlocked, False),
        (saying(429, PAGE), KommoRateLimited, False),
        (saying(402, problem(402)), KommoUnpaid, False),
        (saying(404, PAGE), KommoUnavailable, True),
        (saying(404, problem(404)), TokenRefused, False),
        (saying(403, problem(403, "Invalid scope")), TokenRefused, False),
        (saying(400, problem(400, "System error, repeat")), KommoUnavailable, True),
        (saying(500, problem(500)), KommoUnavailable, True),
        (saying(504, PAGE), KommoTooSlow, True),
    ],
)
async def test_a_definite_no_is_told_from_a_doubt(answer: Answer, kind: type[KommoError], doubtful: bool) -> None:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    with pytest.raises(KommoError) as caught:
        await oauth.refresh(
            http, "http://acme.test", client_id="i", client_secret=SECRET, redirect_uri=REDIRECT, refresh_token="r"
        )
    assert (type(caught.value), caught.value.doubtful) == (kind, doubtful)
    assert SECRET not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "cut"])
async def test_a_lost_answer_is_a_doubt(kommo: Kommo, fault: str) -> None:
    kommo.world.faults.add(fault, "access_token")
    with pytest.raises(KommoConnectionError) as caught:
        await exchange(kommo, kommo.world.issue_code(kommo.integration.client_id))
    assert caught.value.doubtful


async def test_a_code_sent_to_a_closed_port_can_be_used_again() -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(KommoConnectionError) as caught:
            await oauth.exchange_code(
                http,
                f"http://127.0.0.1:{free_port()}",
                client_id="i",
                client_secret=SECRET,
                redirect_uri=REDIRECT,
                code="c",
            )
    assert not caught.value.doubtful


async def test_a_slow_answer_is_given_up_and_a_doubt(kommo: Kommo) -> None:
    kommo.world.faults.add("delay", "access_token", seconds=0.5)
    code = kommo.world.issue_code(kommo.integration.client_id)
    with pytest.raises(KommoConnectionError) as caught:
        await oauth.exchange_code(kommo.http, kommo.base_url, code=code, seconds=0.1, **keys(kommo.integration))
    assert caught.value.doubtful


def test_a_pair_may_give_its_life_as_text() -> None:
    raw = json.dumps({"access_token": "a", "refresh_token": "r", "expires_in": "3600", "token_type": "Bearer"})
    assert parse_pair(raw.encode(), now=10.0).expires_at == 3610.0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b'{"access_token": "seen", "refr',
        b"<html></html>",
        b"[]",
        b'{"access_token": "seen", "expires_in": 5}',
        b'{"access_token": "seen", "refresh_token": null, "expires_in": 5}',
        b'{"access_token": "seen", "refresh_token": "seen", "expires_in": "soon"}',
        b"\xff\xfe",
    ],
)
def test_half_a_pair_is_no_pair_and_is_not_told(raw: bytes) -> None:
    with pytest.raises(KommoUnavailable) as caught:
        parse_pair(raw, now=0.0)
    assert caught.value.doubtful
    assert "seen" not in str(caught.value)


def test_a_pair_does_not_show_its_tokens() -> None:
    pair = parse_pair(b'{"access_token": "seen", "refresh_token": "seen", "expires_in": 5}', now=0.0)
    assert "seen" not in repr(pair)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "def502abc"])
def test_a_token_that_is_no_jwt_hints_at_nothing(token: str) -> None:
    assert (token_account_id(token), token_api_domain(token)) == (None, None)


async def test_an_account_that_moved_is_found_again(kommo: Kommo) -> None:
    pair = kommo.world.issue_pair(kommo.integration.client_id, kommo.account.admin.id)
    kommo.world.rename_subdomain(kommo.account, "acme-two")
    found = await oauth.current_subdomain(kommo.http, kommo.base_url, pair.refresh or "")
    assert (found.account_id, found.subdomain) == (kommo.account.id, "acme-two")
    assert token_api_domain(pair.access) == kommo.base_url.removeprefix("http://")


async def test_a_kommo_without_that_route_says_so(kommo: Kommo) -> None:
    kommo.play(subdomain_route="absent")
    with pytest.raises(TokenRefused) as caught:
        await oauth.current_subdomain(kommo.http, kommo.base_url, "r")
    assert caught.value.status == 404


def signed(secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), b"id-1|77", hashlib.sha256).hexdigest()


@pytest.mark.parametrize("signature", [signed(), signed().upper()])
def test_a_true_uninstall_hook_is_believed(signature: str) -> None:
    assert uninstall_signature_ok("id-1", 77, signature, SECRET)


@pytest.mark.parametrize("signature", ["", signed("other"), signed()[:-1], signed() + "0", "é", "\ud800"])
def test_a_forged_uninstall_hook_is_not_believed(signature: str) -> None:
    assert not uninstall_signature_ok("id-1", "77", signature, SECRET)


def test_an_uninstall_hook_is_about_one_account() -> None:
    assert not uninstall_signature_ok("id-1", 78, signed(), SECRET)
