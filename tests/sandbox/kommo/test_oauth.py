"""Codes, pairs and the widget's token."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from tests.sandbox.kommo.conftest import REDIRECT, Kommo

NOT_THE_SECRET = "made-up"


async def test_allow_leads_back_with_code_state_referer_and_client_id(kommo: Kommo) -> None:
    kommo.world.base_url = "http://127.0.0.1:8001"
    client_id = kommo.integration.client_id
    answer = await kommo.http.get(f"/oauth?client_id={client_id}&state=abc&mode=popup&auto=allow")
    target = urlsplit(answer.headers["location"])
    query = parse_qs(target.query)
    assert (answer.status_code, f"{target.scheme}://{target.netloc}{target.path}") == (302, REDIRECT)
    assert (query["state"], query["referer"], query["client_id"]) == (["abc"], ["127.0.0.1:8001"], [client_id])
    assert query["code"][0] in kommo.world.wallet.codes


async def test_decline_leads_back_with_access_denied(kommo: Kommo) -> None:
    answer = await kommo.http.get(f"/oauth?client_id={kommo.integration.client_id}&state=abc&auto=decline")
    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["access_denied"]


async def test_a_person_finds_both_choices_on_the_consent_page(kommo: Kommo) -> None:
    page = (await kommo.http.get(f"/oauth?client_id={kommo.integration.client_id}&state=a%22b")).text
    assert "auto=allow" in page
    assert "auto=decline" in page
    assert 'a"b' not in page


async def test_an_unknown_integration_gets_an_error_page(kommo: Kommo) -> None:
    assert (await kommo.http.get("/oauth?client_id=nobody")).status_code == 404


async def test_a_code_gives_a_pair_that_works_for_a_day(kommo: Kommo) -> None:
    code = kommo.world.issue_code(kommo.integration.client_id)
    pair = (await kommo.grant(grant_type="authorization_code", code=code)).json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 86400)
    assert (await kommo.http.get("/api/v4/account", headers=bearer)).json()["id"] == kommo.account.id
    kommo.clock.advance(86401)
    assert (await kommo.http.get("/api/v4/account", headers=bearer)).status_code == 401


async def test_a_code_is_used_once(kommo: Kommo) -> None:
    code = kommo.world.issue_code(kommo.integration.client_id)
    await kommo.grant(grant_type="authorization_code", code=code)
    second = await kommo.grant(grant_type="authorization_code", code=code)
    assert (second.status_code, second.json()["hint"]) == (400, "Authorization code has been revoked")


async def test_a_code_ends_after_twenty_minutes(kommo: Kommo) -> None:
    code = kommo.world.issue_code(kommo.integration.client_id)
    kommo.clock.advance(1200)
    answer = await kommo.grant(grant_type="authorization_code", code=code)
    assert answer.json()["hint"] == "Authorization code has expired"


async def test_a_refusal_may_give_no_hint(kommo: Kommo) -> None:
    kommo.play(code_error_hint="absent", code_error_status="401")
    answer = await kommo.grant(grant_type="authorization_code", code="made up")
    assert (answer.status_code, "hint" in answer.json()) == (401, False)


@pytest.mark.parametrize("reading", ["400_hint", "401", "404", "301"])
async def test_tokens_are_given_at_the_accounts_own_host_only(kommo: Kommo, reading: str) -> None:
    """Under its former name it is not found either."""
    kommo.play(account_error=reading)
    other = kommo.world.add_account("other")
    kommo.world.rename_subdomain(kommo.account, "renamed")
    for host in (f"{other.subdomain}.kommo.com", "acme.kommo.com"):
        kommo.http.headers["Host"] = host
        refused = await kommo.grant(grant_type="refresh_token", refresh_token=str(kommo.pair.refresh))
        assert refused.status_code == int(reading[:3])
    kommo.http.headers["Host"] = "renamed.kommo.com"
    given = await kommo.grant(grant_type="refresh_token", refresh_token=str(kommo.pair.refresh))
    assert given.status_code == 200


def test_the_widgets_token_may_live_half_as_long(kommo: Kommo) -> None:
    kommo.play(one_time_life="15_minutes")
    client_id, user_id = kommo.integration.client_id, kommo.account.admin.id
    token = kommo.world.one_time_token(client_id, user_id)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 900
    kommo.clock.advance(750)
    assert kommo.world.one_time_token(client_id, user_id) != token


async def test_the_redirect_uri_must_be_the_same_in_both_grants(kommo: Kommo) -> None:
    code = kommo.world.issue_code(kommo.integration.client_id)
    wrong = {"redirect_uri": REDIRECT + "/"}
    refresh = str(kommo.pair.refresh)
    assert (await kommo.grant(grant_type="authorization_code", code=code, **wrong)).json()["hint"] == (
        "Redirect URI is not associated with client"
    )
    assert (await kommo.grant(grant_type="refresh_token", refresh_token=refresh, **wrong)).status_code == 400


async def test_a_wrong_secret_is_told_without_a_hint(kommo: Kommo) -> None:
    answer = await kommo.grant(grant_type="authorization_code", code="x", client_secret=NOT_THE_SECRET)
    assert answer.status_code == 401
    assert "hint" not in answer.json()


async def test_an_old_refresh_token_is_dead_at_once(kommo: Kommo) -> None:
    refresh = str(kommo.pair.refresh)
    first = await kommo.grant(grant_type="refresh_token", refresh_token=refresh)
    second = await kommo.grant(grant_type="refresh_token", refresh_token=refresh)
    assert first.status_code == 200
    assert (second.status_code, second.json()["hint"]) == (401, "Token has been revoked")


async def test_in_grace_an_old_refresh_token_works_until_the_new_pair_is_used(kommo: Kommo) -> None:
    kommo.play(old_refresh_token="grace")
    refresh = str(kommo.pair.refresh)
    await kommo.grant(grant_type="refresh_token", refresh_token=refresh)
    pair = (await kommo.grant(grant_type="refresh_token", refresh_token=refresh)).json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (await kommo.http.get("/api/v4/account", headers=bearer)).status_code == 200
    assert (await kommo.grant(grant_type="refresh_token", refresh_token=refresh)).status_code == 401


async def test_a_refresh_token_ends_after_three_months(kommo: Kommo) -> None:
    kommo.clock.advance(90 * 86400)
    answer = await kommo.grant(grant_type="refresh_token", refresh_token=str(kommo.pair.refresh))
    assert (answer.status_code, answer.json()["hint"]) == (401, "Token has expired")


async def test_the_present_subdomain_is_found_by_refresh_token(kommo: Kommo) -> None:
    kommo.world.rename_subdomain(kommo.account, "renamed")
    header = {"X-Refresh-Token": str(kommo.pair.refresh)}
    answer = await kommo.http.get("/oauth2/account/current/subdomain", headers=header)
    assert answer.json()["subdomain"] == "renamed"


def test_the_widgets_token_is_one_for_25_minutes_and_lives_for_30(kommo: Kommo) -> None:
    client_id, user_id = kommo.integration.client_id, kommo.account.admin.id
    token = kommo.world.one_time_token(client_id, user_id)
    claims = jwt.decode(
        token, kommo.integration.client_secret, algorithms=["HS256"], audience="https://pay.example.com"
    )
    assert claims["exp"] - claims["iat"] == 1800
    assert (claims["client_uuid"], claims["user_id"]) == (client_id, user_id)
    kommo.clock.advance(24 * 60)
    assert kommo.world.one_time_token(client_id, user_id) == token
    kommo.clock.advance(60)
    assert kommo.world.one_time_token(client_id, user_id) != token


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic x"])
async def test_without_a_living_token_there_is_nothing(kommo: Kommo, header: str) -> None:
    assert (await kommo.http.get("/api/v4/leads", headers={"Authorization": header})).status_code == 401


async def test_a_new_secret_ends_all_access_under_the_old_one(kommo: Kommo) -> None:
    old = kommo.integration.client_secret
    assert kommo.world.renew_secret(kommo.integration.client_id) != old
    assert (await kommo.http.get("/api/v4/account")).status_code == 401


async def test_a_long_lived_token_ends_on_its_day(kommo: Kommo) -> None:
    header = {"Authorization": f"Bearer {kommo.world.long_lived_token(kommo.integration.client_id, days=2)}"}
    assert (await kommo.http.get("/api/v4/users", headers=header)).status_code == 200
    kommo.clock.advance(2 * 86400)
    assert (await kommo.http.get("/api/v4/users", headers=header)).status_code == 401


async def test_a_token_opens_its_own_account_only(kommo: Kommo) -> None:
    other = kommo.world.add_account("other")
    lead = other.add_lead("Not yours")
    assert (await kommo.http.get(f"/api/v4/leads/{lead.id}")).status_code == 204
    written = await kommo.http.patch(f"/api/v4/leads/{lead.id}", json={"name": "Mine"})
    assert (written.status_code, lead.name) == (400, "Not yours")
