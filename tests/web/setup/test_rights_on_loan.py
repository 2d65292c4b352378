"""Every admin route, found from the app: who lost the right in Kommo, or whose account is gone, gets nothing by it."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlmodel import select

from backend.accounts.tokens.call import with_kommo
from backend.admin.sessions import Visitor, begin
from backend.core.errors import NotConnected
from backend.storage.models import Account, Integration, SetupLink, SetupSession, StripeConnection
from sandbox.clock import MovableClock
from sandbox.kommo.hooks import hooks
from sandbox.kommo.records import User
from tests.world import ADMIN_TOKEN, Tenant, World, new_tenant, open_world
from tests.world.processes import ANY_REFUSALS, called_web

COOKIE = "__Host-kommo_stripe_setup"
OURS = {"Sec-Fetch-Site": "same-origin"}
OPEN = {("POST", "/admin/login"), ("POST", "/admin/logout"), ("GET", "/admin/enter/{secret}"),
        ("HEAD", "/admin/enter/{secret}"), ("POST", "/admin/enter/{secret}"),
        ("GET", "/admin/files/{name}")}  # fmt: skip
"""Those that nobody needs to be signed in for; they have their own tests."""
OPERATORS = ("integrations", "/admin/accounts")


@pytest.fixture
async def here(daily_url: str, anyio_backend: str) -> AsyncIterator[World]:
    """For what is decided before a database is asked for anything but the session."""
    async with (
        open_world(daily_url, clock=MovableClock(), own_hosts=True) as made,
        called_web(made.resources, limits=ANY_REFUSALS) as http,
    ):
        yield replace(made, http=http)


@pytest.fixture
async def on_both(database_url: str, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(database_url, clock=MovableClock(), own_hosts=True) as made:
        yield made


def app_of(here: World) -> FastAPI:
    transport = here.http._transport
    assert isinstance(transport, httpx.ASGITransport)
    assert isinstance(transport.app, FastAPI)
    return transport.app


def admin_routes(here: World) -> list[tuple[str, str]]:
    routes = [one for one in _flat(app_of(here).routes) if one.path.startswith("/admin")]
    found = [(method, one.path) for one in routes for method in sorted(one.methods or ())]
    return [one for one in found if one not in OPEN]


def _flat(routes: Iterable[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from _flat(route.original_router.routes)


async def colleague(tenant: Tenant) -> User:
    """A second administrator: our own token is the first one's."""
    found = tenant.account.add_salesperson("Colleague", "colleague@shop.example")
    found.is_admin = True
    return found


async def call(tenant: Tenant, user: User, method: str, path: str) -> httpx.Response:
    here = tenant.world
    visitor = Visitor(tenant.account.id, user.id)
    cookie = await begin(here.resources, visitor, ADMIN_TOKEN)
    path = re.sub(r"{(account_id)}", str(tenant.account.id), path)
    path = re.sub(r"{lead_id}", "1", path).replace("{name}", "stages" if "automation" in path else "kommo")
    path = re.sub(r"{\w+}", "x", path)
    body: dict[str, Any] = {"data": {"mode": "test"}}
    if path.startswith("/admin/api"):
        body = {"json": {"account_id": tenant.account.id, "lead_id": 1, "shadow": True}}
    given = {} if method in ("GET", "HEAD") else body
    return await here.http.request(method, path, headers=OURS | {"Cookie": f"{COOKIE}={cookie}"}, **given)


async def kept(here: World) -> str:
    async with here.resources.database.read() as session:
        rows = [(await session.exec(select(kind))).all() for kind in (Account, Integration, StripeConnection)]
    return repr([sorted(map(repr, some)) for some in rows])


def demote(tenant: Tenant, user: User) -> None:
    user.is_admin = False


def switch_off(tenant: Tenant, user: User) -> None:
    user.is_active = False


def delete(tenant: Tenant, user: User) -> None:
    del tenant.account.users[user.id]


def hide(tenant: Tenant, user: User) -> None:
    tenant.world.kommo.faults.add("500_json", f"/api/v4/users/{user.id}$", times=0)


LOST = [(demote, 403), (switch_off, 403), (delete, 403), (hide, 502)]


async def test_no_admin_route_serves_who_is_not_confirmed_by_kommo(here: World) -> None:
    tenant = await new_tenant(here)
    user = await colleague(tenant)
    routes = admin_routes(here)
    assert len(routes) > 20
    for method, path in routes:
        answer = await call(tenant, user, method, path)
        operators = any(part in path for part in OPERATORS)
        assert answer.status_code not in ((401,) if operators else (401, 403, 502)), (method, path, answer.text[:300])
    before = await kept(here)
    for lose, status in LOST:
        user = await colleague(tenant)
        lose(tenant, user)
        for method, path in routes:
            answer = await call(tenant, user, method, path)
            assert answer.status_code == status, (lose.__name__, method, path, answer.text[:300])
            assert tenant.account.subdomain not in answer.text
    assert await kept(here) == before


async def test_no_admin_route_serves_an_account_whose_tokens_are_dead(here: World) -> None:
    """Kommo's hook was lost: the first call finds out, and the account's sessions end with it."""
    tenant = await new_tenant(here)
    user = await colleague(tenant)
    here.kommo.wallet.revoke(tenant.integration.client_id)
    for number, (method, path) in enumerate(admin_routes(here)):
        answer = await call(tenant, user, method, path)
        assert answer.status_code == (409 if number == 0 else _stranger(method, path)), (method, path)
        assert tenant.account.subdomain not in answer.text


async def test_no_admin_route_serves_an_uninstalled_account(here: World) -> None:
    tenant = await new_tenant(here)
    user = await colleague(tenant)
    await uninstalled(tenant)
    before = await kept(here)
    for method, path in admin_routes(here):
        answer = await call(tenant, user, method, path)
        assert answer.status_code == _stranger(method, path), (method, path)
        assert tenant.account.subdomain not in answer.text
    assert await kept(here) == before


def _stranger(method: str, path: str) -> int:
    """The sign-in page, where there is one."""
    is_page = method == "GET" and not path.startswith("/admin/api") and not path.endswith(".csv")
    return 200 if is_page else 401


async def uninstalled(tenant: Tenant) -> None:
    here = tenant.world
    here.kommo.wallet.revoke(tenant.integration.client_id)
    (hook,) = await _signed(tenant)
    assert (await here.http.get("/kommo/uninstall", params=hook)).status_code == 200
    assert (await tenant.row()).state == "uninstalled"


async def _signed(tenant: Tenant) -> list[dict[str, str]]:
    signature = hooks.signature(tenant.world.kommo, tenant.integration)
    return [{"client_uuid": tenant.integration.client_id, "account_id": str(tenant.account.id), "signature": signature}]


async def sessions(here: World) -> list[int | None]:
    async with here.resources.database.read() as session:
        signed_in = (await session.exec(select(SetupSession.account_id))).all()
        links = (await session.exec(select(SetupLink.account_id))).all()
    return sorted((*signed_in, *links), key=str)


@pytest.mark.parametrize("end", ["uninstalled", "reconnect", "integration removed"])
async def test_sessions_and_links_of_an_account_end_with_its_connection(on_both: World, end: str) -> None:
    tenant, other = await new_tenant(on_both), await new_tenant(on_both)
    for visitor in (Visitor(tenant.account.id, 1), Visitor(other.account.id, 1), Visitor()):
        await begin(on_both.resources, visitor, ADMIN_TOKEN)
    token = on_both.kommo.one_time_token(tenant.integration.client_id, tenant.account.admin.id)
    assert (await on_both.http.post("/widget/setup", headers={"X-Auth-Token": token})).status_code == 201
    if end == "uninstalled":
        await uninstalled(tenant)
    elif end == "reconnect":
        on_both.kommo.wallet.revoke(tenant.integration.client_id)
        with pytest.raises(NotConnected):
            await with_kommo(on_both.resources, tenant.account.id, lambda api: api.account())
    else:
        path = f"/admin/api/integrations/{tenant.integration.client_id}"
        await on_both.http.delete(path, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
    assert await sessions(on_both) == [other.account.id, None]


async def test_for_reading_kommos_word_may_be_a_minute_old_and_for_a_change_never(here: World) -> None:
    tenant = await new_tenant(here)
    user = await colleague(tenant)
    cookie = {"Cookie": f"{COOKIE}={await begin(here.resources, Visitor(tenant.account.id, user.id), ADMIN_TOKEN)}"}
    path, asked = "/admin/api/accounts", f"/api/v4/users/{user.id}"
    clock = here.clock
    assert isinstance(clock, MovableClock)
    for advance, times in ((0, 1), (59, 1), (2, 2)):
        clock.advance(advance)
        assert (await here.http.get(path, headers=cookie)).status_code == 200
        assert tenant.asked.count(asked) == times
    options = f"/admin/api/accounts/{tenant.account.id}/options"
    assert (await here.http.put(options, json={"shadow": True}, headers=cookie | OURS)).status_code == 200
    assert tenant.asked.count(asked) == 3
    user.is_admin = False
    assert (await here.http.put(options, json={"shadow": False}, headers=cookie | OURS)).status_code == 403
    assert (await here.http.get(path, headers=cookie)).status_code == 401  # the session ended with the right
