"""Each no of Kommo's token endpoint says what is wrong and what to do, in each reading of its answers."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from backend.kommo_api.auth.refusals import Refusal, refusal_of
from backend.storage.models import Integration
from sandbox.clock import MovableClock
from tests.world import World, open_world

LATE = 21 * 60


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def world(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock, connected=False) as one:
        yield one


async def refused(world: World, code: str = "", **change: str) -> str:
    """The page that a redirect with this code ends in."""
    begun = await world.http.get(f"{world.url}/oauth/kommo/start", headers=world.admin)
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    given = {"code": code or world.kommo.issue_code(world.integration.client_id), "state": state}
    given |= {"client_id": world.integration.client_id, "referer": world.kommo.host_of(world.account)} | change
    answer: httpx.Response = await world.http.get(f"{world.url}/oauth/kommo/callback", params=given)
    assert answer.status_code == 400, answer.text
    return answer.text


async def test_each_refusal_of_a_code_says_what_to_do(world: World, clock: MovableClock) -> None:
    kommo, made = world.kommo, world.integration
    assert "it is incomplete" in await refused(world, "garbage")
    other = kommo.add_integration(world.account, made.redirect_uri)
    assert "belongs to another integration" in await refused(world, kommo.issue_code(other.client_id))
    used = kommo.issue_code(made.client_id)
    kommo.wallet.codes[used].used = True
    assert "was used already" in await refused(world, used)
    old = kommo.issue_code(made.client_id)
    clock.advance(LATE)
    assert "older than 20 minutes" in await refused(world, old)
    made.redirect_uri = "https://elsewhere.example.com"
    assert f"Enter {world.url}/oauth/kommo/callback there exactly" in await refused(world)


@pytest.mark.parametrize("reading", ["401_bare", "400_hint"])
async def test_a_wrong_secret_key_is_named(world: World, reading: str) -> None:
    world.kommo.switches.set("client_error", reading)
    world.kommo.renew_secret(world.integration.client_id)
    text = await refused(world)
    assert ("secret key" in text, "older than 20 minutes" in text) == (True, reading == "401_bare")


@pytest.mark.parametrize("reading", ["401_bare", "400_hint"])
async def test_an_integration_that_kommo_does_not_know_is_named(world: World, reading: str) -> None:
    world.kommo.switches.set("client_error", reading)
    code = world.kommo.issue_code(world.integration.client_id)
    del world.kommo.integrations[world.integration.client_id]
    assert ("Compare its Integration ID" in await refused(world, code)) == (reading == "400_hint")


@pytest.mark.parametrize("reading", ["400_hint", "401", "404"])
async def test_a_code_of_another_account_is_named(tmp_path: Path, reading: str) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", own_hosts=True) as world:
        world.kommo.switches.set("account_error", reading)
        made, other = world.integration, world.kommo.add_account("globex")
        given = {"client_secret": made.client_secret, "code": world.kommo.issue_code(made.client_id)}
        path = f"{world.url}/admin/api/integrations/{made.client_id}"
        answer = await world.http.put(path, json=given | {"subdomain": other.subdomain}, headers=world.admin)
        error = answer.json()["error"]
        field, said = {
            "400_hint": ("subdomain", "not belong to the account at https://globex.kommo.com"),
            "401": ("client_secret", "Check that this is the account's address"),
            "404": ("subdomain", "no account at https://globex.kommo.com"),
        }[reading]
        assert (answer.status_code, error["field"], said in error["message"]) == (422, field, True)
        assert await world.rows(Integration) == []


@pytest.mark.parametrize(
    ("hint", "status", "refusal"),
    [
        ("Check the `client_id` parameter", 400, Refusal.CLIENT_ID),
        ("Check the `client_secret` parameter", 400, Refusal.CLIENT_SECRET),
        ("Redirect URI is not associated with client", 400, Refusal.REDIRECT_URI),
        ("Invalid redirect URI", 401, Refusal.REDIRECT_URI),
        ("Invalid account", 400, Refusal.ACCOUNT),
        ("Authorization code has expired", 401, Refusal.CODE_EXPIRED),
        ("Authorization code has been revoked", 400, Refusal.CODE_USED),
        ("Authorization code was not issued to this client", 400, Refusal.CODE_OF_OTHER),
        ("Cannot decrypt the authorization code", 400, Refusal.CODE_UNREADABLE),
        ("Token has been revoked", 401, Refusal.OTHER),
        ("", 401, Refusal.KEYS),
        ("", 404, Refusal.NO_ACCOUNT),
        ("", 400, Refusal.OTHER),
    ],
)
def test_a_refusal_is_known_by_its_hint(hint: str, status: int, refusal: Refusal) -> None:
    assert refusal_of(hint, status) is refusal
