"""An integration's secret goes to proven hosts only, a state is good once, and who came without one gets no key."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from backend.accounts.install.use_codes import connect_waiting
from backend.storage.models import Account, Integration, PendingInstall
from backend.web.app import create_app
from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration as Made
from tests.world import World, open_world
from tests.world.settings import ADMIN_TOKEN

CALLBACK, TOKEN = "/oauth/kommo/callback", "/oauth2/access_token"
BROWSER = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """Every Kommo account has a host of its own; the settings name none."""
    async with open_world(database_url, own_hosts=True) as one:
        yield one


async def known(world: World, account: KommoAccount | None = None, **more: str) -> Made:
    """An integration whose key is given here."""
    made = world.kommo.add_integration(account or world.account, world.settings.redirect_uri)
    answer = await put(world, made, client_secret=made.client_secret, **more)
    assert (answer.status_code, answer.json()["account_id"]) == (200, None)
    return made


async def put(world: World, made: Made, **body: Any) -> httpx.Response:
    return await world.http.put(f"{world.url}/admin/api/integrations/{made.client_id}", json=body, headers=world.admin)


async def hook(world: World, made: Made, referer: str, code: str = "") -> httpx.Response:
    given = {"code": code or world.kommo.issue_code(made.client_id), "client_id": made.client_id}
    given |= {"referer": referer, "from_widget": "1"}
    return await world.http.get(f"{world.url}{CALLBACK}", params=given)


async def begun(world: World, made: Made, http: httpx.AsyncClient | None = None, **more: str) -> str:
    headers = world.admin if http is None else {}
    params = {"client_id": made.client_id} | more
    answer = await (http or world.http).get(f"{world.url}/oauth/kommo/start", params=params, headers=headers)
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]


async def redirected(
    world: World, made: Made, state: str, http: httpx.AsyncClient | None = None, referer: str = ""
) -> httpx.Response:
    given = {"code": world.kommo.issue_code(made.client_id), "client_id": made.client_id, "state": state}
    given |= {"referer": referer or world.kommo.host_of(world.account)}
    return await (http or world.http).get(f"{world.url}{CALLBACK}", params=given)


def asked(world: World) -> int:
    return [one.path for one in world.kommo.requests].count(TOKEN)


async def connected(world: World) -> list[int]:
    return sorted(row.id for row in await world.rows(Account))


@pytest.mark.parametrize("host", ["developers.kommo.com", "evil.kommo.com", "acme.kommo.com"])
async def test_without_a_state_no_host_gets_the_secret_before_the_operator_says_yes(world: World, host: str) -> None:
    made = await known(world)
    answer = await hook(world, made, host)
    assert (answer.status_code, "operator confirms" in answer.text) == (200, True)
    await connect_waiting(world.resources)
    assert asked(world) == 0


async def test_the_operators_yes_sends_the_secret_to_the_confirmed_host_alone(world: World) -> None:
    made = await known(world)
    await hook(world, made, "developers.kommo.com", "made up")
    await hook(world, made, world.kommo.host_of(world.account))
    assert (await put(world, made, subdomain=world.account.subdomain)).json()["account_id"] == world.account.id
    await connect_waiting(world.resources)
    assert asked(world) == 1


async def test_a_key_alone_confirms_no_host(world: World) -> None:
    made = world.kommo.add_integration(world.account, world.settings.redirect_uri)
    await hook(world, made, world.kommo.host_of(world.account))
    answer = (await put(world, made, client_secret=made.client_secret)).json()
    assert (answer["account_id"], "An installation from" in answer["problem"], asked(world)) == (None, True, 0)
    both = await put(world, made, client_secret=made.client_secret, subdomain=world.account.subdomain)
    assert both.json()["account_id"] == world.account.id


async def test_a_host_that_the_operator_named_before_connects_by_itself(world: World) -> None:
    made = await known(world, subdomain=world.account.subdomain)
    assert "is connected" in (await hook(world, made, world.kommo.host_of(world.account))).text
    assert await connected(world) == [world.account.id]


async def test_the_host_of_the_settings_connects_by_itself_and_no_other(database_url: str) -> None:
    async with open_world(database_url, own_hosts=True, more={"kommo_subdomain": "acme"}) as world:
        made = await known(world)
        assert "operator confirms" in (await hook(world, made, "evil.kommo.com")).text
        assert "is connected" in (await hook(world, made, "acme.kommo.com")).text


async def test_of_an_integration_with_an_account_only_that_accounts_host_gets_the_secret(world: World) -> None:
    made = await known(world, subdomain=world.account.subdomain)
    await hook(world, made, world.kommo.host_of(world.account))
    before = asked(world)
    assert "operator confirms" in (await hook(world, made, "evil.kommo.com")).text
    assert asked(world) == before
    assert "is connected" in (await hook(world, made, world.kommo.host_of(world.account))).text


async def test_a_code_by_hand_does_not_go_to_the_host_that_a_stranger_named(world: World) -> None:
    made = await known(world)
    await hook(world, made, "evil.kommo.com", "made up")
    answer = await put(world, made, client_secret=made.client_secret, code=world.kommo.issue_code(made.client_id))
    assert (answer.status_code, answer.json()["error"]["field"], asked(world)) == (422, "subdomain", 0)


async def test_the_operators_state_connects_once(world: World) -> None:
    made = await known(world)
    state = await begun(world, made)
    assert "is connected" in (await redirected(world, made, state)).text
    again = await redirected(world, made, state)
    assert (again.status_code, "used already" in again.text) == (400, True)
    assert (asked(world), await connected(world)) == (1, [world.account.id])


async def test_a_state_for_another_account_proves_nothing(world: World) -> None:
    made = await known(world)
    state = await begun(world, made, subdomain="acme")
    assert "operator confirms" in (await redirected(world, made, state, referer="evil.kommo.com")).text
    assert (asked(world), [row.origin for row in await world.rows(PendingInstall)]) == (0, ["state"])


async def test_what_was_begun_in_a_browser_ends_in_that_browser(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", connected=False) as world:
        made = world.integration
        async with httpx.AsyncClient(base_url=world.url, headers=BROWSER) as browser, httpx.AsyncClient() as other:
            await browser.post("/admin/login", data={"token": ADMIN_TOKEN})
            state = await begun(world, made, browser)
            refused = await redirected(world, made, state, other)
            assert (refused.status_code, "another browser" in refused.text, asked(world)) == (400, True, 0)
            second_tab = await begun(world, made, browser)
            assert "is connected" in (await redirected(world, made, state, browser)).text
            assert "is connected" in (await redirected(world, made, second_tab, browser)).text
            kept = next(one for one in browser.cookies.jar if one.name == "kommo_stripe_oauth")
            assert (kept.path, kept.has_nonstandard_attr("HttpOnly")) == ("/", True)


async def test_where_the_address_is_https_no_other_host_can_set_the_cookie_of_a_sign_in(world: World) -> None:
    """The neighbour of our host could else bind a victim's browser to a sign-in of its own."""
    await known(world)
    transport, origin = httpx.ASGITransport(create_app(world.resources, admin_token=ADMIN_TOKEN)), world.url
    async with httpx.AsyncClient(transport=transport, base_url=origin, headers=BROWSER) as browser:
        entered = await browser.post("/admin/login", data={"token": ADMIN_TOKEN})
        session = entered.headers["set-cookie"].partition(";")[0]
        answer = await browser.get("/oauth/kommo/start", headers={"Cookie": session})
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert (origin.partition("://")[0], name.partition("=")[0]) == ("https", "__Host-kommo_stripe_oauth")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(attributes)
    assert "Domain" not in answer.headers["set-cookie"]


async def test_a_second_account_of_an_integration_waits_for_the_operators_yes(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db") as world:
        made, other = world.integration, world.kommo.add_account("globex")
        world.kommo.integrations[made.client_id].account_id = other.id
        answer = await hook(world, made, world.kommo.host_of(world.account))
        assert (answer.status_code, "belongs to another Kommo account" in answer.text) == (200, True)
        await connect_waiting(world.resources)
        assert await connected(world) == [world.account.id]
        async with httpx.AsyncClient(base_url=world.url, headers=BROWSER, follow_redirects=True) as operator:
            await operator.post("/admin/login", data={"token": ADMIN_TOKEN})
            assert 'value="globex">Connect globex' in (await operator.get("/admin/accounts")).text
            pressed = {"which": "waiting", "client_id": made.client_id, "subdomain": "globex"}
            done = (await operator.post("/admin/integrations", data=pressed)).text
        assert ("The account is connected." in done, "Connect globex" in done) == (True, False)
        assert await connected(world) == sorted([world.account.id, other.id])
        (integration,) = await world.rows(Integration)
        assert integration.account_id == world.account.id


async def test_who_came_without_a_state_by_another_integration_gets_no_stripe_key(tmp_path: Path) -> None:
    """The key is the environment's, and so must be the integration; or the operator connects."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", connected=False) as world:
        other = world.kommo.add_account("globex")
        made = await known(world, other)
        assert "connect Stripe" in (await hook(world, made, world.kommo.host_of(other))).text
        listed = (await world.http.get(f"{world.url}/admin/api/accounts", headers=world.admin)).json()
        assert [(one["account_id"], one["stripe"]) for one in listed] == [(other.id, [])]
        assert "connect Stripe" not in (await hook(world, world.integration, world.kommo.host_of(world.account))).text
