"""Who presses the button: only what Kommo signed for us, now."""

from typing import Any

import jwt
import pytest

from backend.kommo_api.auth.widget_token import BadWidgetToken, WidgetClaims, read_widget_token
from tests.kommo_api.conftest import Kommo

NOW = 1_800_000_000.0
SECRETS = {"id-1": "made-up-secret-one-" * 4, "id-2": "made-up-secret-two-" * 4}
AUDIENCES = {"id-1": "https://pay.example.com:8443/oauth/kommo/callback", "id-2": "https://two.example.com/callback"}


def token(*, secret: str = SECRETS["id-1"], algorithm: str = "HS256", without: str = "", **claims: Any) -> str:
    body: dict[str, Any] = {
        "iss": "https://acme.kommo.com",
        "aud": "https://pay.example.com",
        "jti": "5e9d",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 1800,
        "account_id": 111,
        "subdomain": "acme",
        "client_uuid": "id-1",
        "user_id": 222,
    } | claims
    body.pop(without, None)
    return jwt.encode(body, secret if algorithm != "none" else "", algorithm=algorithm)


def read(given: str, now: float = NOW) -> WidgetClaims:
    return read_widget_token(given, secrets=SECRETS, audiences=AUDIENCES, now=now)


def test_a_true_token_names_the_user() -> None:
    assert read(token()) == WidgetClaims(111, 222, "id-1", "acme", None, NOW + 1800)


@pytest.mark.parametrize(("said", "known"), [(True, True), (False, False), ("yes", None), (None, None)])
def test_is_admin_is_believed_only_as_a_bool(said: object, known: bool | None) -> None:
    assert read(token(is_admin=said)).is_admin is known


@pytest.mark.parametrize(
    "audience",
    ["https://pay.example.com", "https://pay.example.com:8443", ["https://pay.example.com"], "https://Pay.example.com"],
)
def test_the_audience_is_our_address_with_or_without_port(audience: object) -> None:
    assert read(token(aud=audience)).user_id == 222


@pytest.mark.parametrize(
    "audience",
    [
        "https://two.example.com",
        "http://pay.example.com",
        "https://pay.example.com:9999",
        "https://pay.example.com.evil.com",
        "",
        [],
        None,
    ],
)
def test_a_token_for_another_address_is_refused(audience: object) -> None:
    with pytest.raises(BadWidgetToken):
        read(token(aud=audience))


@pytest.mark.parametrize("seconds", [0, 1799, 1800, 1859])
def test_one_token_is_good_for_many_calls_until_it_expires(seconds: int) -> None:
    given = token()
    assert read(given, NOW + seconds) == read(given, NOW + seconds)


@pytest.mark.parametrize(
    ("given", "now"),
    [
        (token(), NOW + 1860),
        (token(), NOW - 61),
        (token(exp=NOW - 61), NOW),
        (token(iat=NOW + 61), NOW),
        (token(exp="soon"), NOW),
    ],
)
def test_a_token_of_another_time_is_refused(given: str, now: float) -> None:
    with pytest.raises(BadWidgetToken):
        read(given, now)


def test_a_clock_may_be_a_minute_off() -> None:
    assert read(token(), NOW - 60).user_id == 222


@pytest.mark.parametrize("claim", ["exp", "aud", "account_id", "client_uuid", "user_id"])
def test_a_token_without_a_needed_claim_is_refused(claim: str) -> None:
    with pytest.raises(BadWidgetToken):
        read(token(without=claim))


@pytest.mark.parametrize("claim", ["iss", "jti", "iat", "nbf", "subdomain"])
def test_a_token_may_lack_the_rest(claim: str) -> None:
    assert read(token(without=claim)).user_id == 222


@pytest.mark.parametrize(
    "given",
    [
        token(secret="made-up-secret-of-nobody-" * 3),
        token(secret=SECRETS["id-2"]),
        token(client_uuid="id-2"),
        token(client_uuid="id-3"),
        token(client_uuid=["id-1"]),
        token(algorithm="none"),
        token(algorithm="HS384"),
        token(algorithm="HS512"),
        token()[:-4] + "AAAA",
        "",
        "a.b.c",
        "é",
        token(user_id="somebody"),
        token(account_id=True),
    ],
)
def test_what_kommo_did_not_sign_for_us_is_refused(given: str) -> None:
    with pytest.raises(BadWidgetToken):
        read(given)


async def test_the_sandboxs_tokens_are_true(kommo: Kommo) -> None:
    known = kommo.integration
    given = kommo.world.one_time_token(known.client_id, kommo.account.admin.id)
    user = read_widget_token(
        given,
        secrets={known.client_id: known.client_secret},
        audiences={known.client_id: known.redirect_uri},
        now=kommo.world.clock(),
    )
    assert (user.account_id, user.user_id) == (kommo.account.id, kommo.account.admin.id)
