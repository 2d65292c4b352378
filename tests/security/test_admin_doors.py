"""Every route of the admin's app × every role × every tenant: a new route without an entry here fails."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlmodel import select

from backend.admin.session_rights import ADMINISTRATOR, FINANCE
from backend.admin.sessions import Visitor, begin
from backend.storage.models import Account, SetupSession
from sandbox.clock import MovableClock
from tests.web.setup.test_rights_on_loan import COOKIE, OPEN, OURS, admin_routes
from tests.world import ADMIN_TOKEN, Tenant, World, new_tenant, open_world
from tests.world.processes import ANY_REFUSALS, called_web

FOR_FINANCE = {
    "/admin", "/admin/payments", "/admin/payments.csv", "/admin/payments/{lead_id}/{line_id}", "/admin/deal",
    "/admin/unmatched",
}  # fmt: skip
"""What finance may read; every other route is for administrators of the account, or for the operator alone."""
FOR_ADMINISTRATORS = {
    "/admin/automation", "/admin/automation/{name}", "/admin/setup", "/admin/setup/test", "/admin/setup/{name}",
    "/admin/events", "/admin/events/log", "/admin/events/sessions", "/admin/events/of/{event_id}",
    "/admin/api/accounts", "/admin/api/unmatched", "/admin/api/unmatched/{payment_id}/attach",
}  # fmt: skip
OF_ACCOUNT = ("/admin/accounts/{account_id}/", "/admin/api/accounts/{account_id}/")
FOR_OPERATORS = ("/admin/integrations", "/admin/accounts", "/admin/api/integrations")


@pytest.fixture
async def here(tmp_path: Any, anyio_backend: str) -> AsyncIterator[World]:
    url = f"sqlite+aiosqlite:///{tmp_path}/doors.db"
    async with (
        open_world(url, clock=MovableClock(), own_hosts=True, worker=False) as made,
        called_web(made.resources, limits=ANY_REFUSALS) as http,
    ):
        yield replace(made, http=http)


def least_role(path: str) -> str:
    if path in FOR_FINANCE:
        return FINANCE
    if path in FOR_ADMINISTRATORS or path.startswith(OF_ACCOUNT):
        return ADMINISTRATOR
    assert path.startswith(FOR_OPERATORS), f"{path} is in no line of this table"
    return "operator"


def filled(path: str, account_id: int) -> str:
    path = path.replace("{account_id}", str(account_id)).replace("{lead_id}", "1")
    path = path.replace("{name}", "stages" if "automation" in path else "kommo")
    return re.sub(r"{\w+}", "x", path)


async def asked(here: World, visitor: Visitor | None, method: str, path: str, account_id: int) -> httpx.Response:
    headers = dict(OURS)
    if visitor is not None:
        headers["Cookie"] = f"{COOKIE}={await begin(here.resources, visitor, ADMIN_TOKEN)}"
    body: dict[str, Any] = {} if method in ("GET", "HEAD") else {"data": {"x": "y"}}
    if path.startswith("/admin/api") and body:
        body = {"json": {"account_id": account_id, "lead_id": 1, "shadow": True}}
    query = {} if path.startswith("/admin/api") else {"account": account_id}
    return await here.http.request(method, filled(path, account_id), headers=headers, params=query, **body)


def is_served(answer: httpx.Response, subdomain: str) -> bool:
    """The route did what it is for, or found the body wanting; neither sign-in page nor refusal."""
    is_page = "html" in answer.headers.get("content-type", "")
    if answer.status_code in (401, 403) or (is_page and "Admin token" in answer.text):
        assert subdomain not in answer.text
        return False
    assert answer.status_code < 500, answer.text[:300]
    return True


async def people(here: World, tenant: Tenant, neighbour: Tenant) -> list[tuple[str, Visitor | None]]:
    """(role, visitor): whoever may knock, each with a session as one begins in the browser."""
    colleague = tenant.account.add_salesperson("Colleague", "colleague@shop.example")
    colleague.is_admin = True
    clerk = tenant.account.add_salesperson("Clerk", "clerk@shop.example")
    rep = tenant.account.add_salesperson("Rep", "rep@shop.example")
    other = neighbour.account.add_salesperson("Other", "other@shop.example")
    other.is_admin = True
    await name_finance(here, tenant, [clerk.id])
    return [
        ("nobody", None),
        ("rep", Visitor(tenant.account.id, rep.id)),
        ("neighbour", Visitor(neighbour.account.id, other.id)),
        (FINANCE, Visitor(tenant.account.id, clerk.id, FINANCE)),
        (ADMINISTRATOR, Visitor(tenant.account.id, colleague.id)),
        ("operator", Visitor()),
    ]


async def name_finance(here: World, tenant: Tenant, users: list[int]) -> None:
    async with here.resources.database.write() as session:
        account = await session.get_one(Account, tenant.account.id)
        account.options = account.options | {"finance": users}
        session.add(account)


ABOVE = {FINANCE: (FINANCE, ADMINISTRATOR, "operator"), ADMINISTRATOR: (ADMINISTRATOR, "operator"),
         "operator": ("operator",)}  # fmt: skip
NAMES_NO_ACCOUNT = {"/admin/api/accounts", "/admin/api/unmatched"}
"""A neighbour reaches these for the neighbour's own account: that nothing of another is in them has its own test."""


async def test_each_route_serves_the_roles_of_its_line_and_no_other(here: World) -> None:
    tenant, neighbour = await new_tenant(here), await new_tenant(here)
    routes = admin_routes(here)
    assert len(routes) > 30
    assert not OPEN & set(routes)
    for role, visitor in await people(here, tenant, neighbour):
        for method, path in routes:
            answer = await asked(here, visitor, method, path, tenant.account.id)
            served = is_served(answer, tenant.account.subdomain)
            expected = role in ABOVE[least_role(path)] or (role == "neighbour" and path in NAMES_NO_ACCOUNT)
            assert served == expected, (role, method, path, answer.status_code, answer.text[:200])


async def test_a_user_who_is_of_finance_no_more_is_out_within_a_minute(here: World) -> None:
    tenant = await new_tenant(here)
    clerk = tenant.account.add_salesperson("Clerk", "clerk@shop.example")
    await name_finance(here, tenant, [clerk.id])
    cookie = {"Cookie": f"{COOKIE}={await begin(here.resources, Visitor(tenant.account.id, clerk.id, FINANCE), '')}"}
    assert (await here.http.get("/admin/payments", headers=cookie)).status_code == 200
    await name_finance(here, tenant, [])
    clock = here.clock
    assert isinstance(clock, MovableClock)
    clock.advance(61)
    assert (await here.http.get("/admin/payments", headers=cookie)).status_code == 403
    async with here.resources.database.read() as session:
        assert (await session.exec(select(SetupSession))).all() == []


async def test_an_administrator_who_becomes_a_clerk_reads_on_and_changes_nothing(here: World) -> None:
    tenant = await new_tenant(here)
    user = tenant.account.add_salesperson("Colleague", "colleague@shop.example")
    user.is_admin = True
    await name_finance(here, tenant, [user.id])
    cookie = {"Cookie": f"{COOKIE}={await begin(here.resources, Visitor(tenant.account.id, user.id), ADMIN_TOKEN)}"}
    assert (await here.http.get("/admin/setup", headers=cookie)).status_code == 200
    user.is_admin = False
    form = f"/admin/accounts/{tenant.account.id}/mode"
    assert (await here.http.post(form, data={"mode": "test"}, headers=OURS | cookie)).status_code == 403
    page = await here.http.get("/admin/payments", headers=cookie)
    assert (page.status_code, "/admin/setup" in page.text) == (200, False)
