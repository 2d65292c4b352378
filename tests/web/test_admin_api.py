"""The admin API: who may, what is refused and where, who did it; an account's session is about that account alone."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from backend.storage.models import Audit, Integration, SetupSession
from backend.web.app import create_app
from sandbox.clock import MovableClock
from tests.world import ADMIN, PUBLIC_URL, Tenant, World, new_tenant, open_world

OURS = {"Sec-Fetch-Site": "same-origin"}
ROUTES = [
    ("GET", "accounts"), ("GET", "integrations"), ("PUT", "integrations/x"), ("DELETE", "integrations/x"),
    ("PUT", "accounts/1/stages"), ("PUT", "accounts/1/stripe"), ("DELETE", "accounts/1/stripe/x"),
    ("PUT", "accounts/1/options"),
    ("POST", "accounts/1/deals/1/move"), ("GET", "unmatched"), ("POST", "unmatched/pi_1/attach"),
]  # fmt: skip


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(
        f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('admin')}/x.db",
        clock=MovableClock(),
        own_hosts=True,
    ) as made:
        yield made


@pytest.fixture
async def tenant(shared: World) -> Tenant:
    return await new_tenant(shared)


async def call(here: World, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    if isinstance(body, bytes):
        return await here.http.request(method, f"/admin/api/{path}", content=body, headers=headers or ADMIN)
    return await here.http.request(method, f"/admin/api/{path}", json=body, headers=headers or ADMIN)


async def put(tenant: Tenant, what: str, body: Any, **headers: str) -> httpx.Response:
    return await call(tenant.world, "PUT", f"accounts/{tenant.account.id}/{what}", body, **headers)


async def session_of(tenant: Tenant) -> dict[str, str]:
    """The cookie of an admin who came from Kommo."""
    here = tenant.world
    token = here.kommo.one_time_token(tenant.integration.client_id, tenant.account.admin.id)
    url = (await here.http.post("/widget/setup", headers={"X-Auth-Token": token})).json()["url"]
    entered = await here.http.post(url, headers=OURS)
    cookie = entered.headers["set-cookie"].partition(";")[0]
    here.http.cookies.clear()
    return {"Cookie": cookie}


async def audit(tenant: Tenant) -> Audit:
    """The latest entry about this account."""
    async with tenant.world.resources.database.read() as session:
        mine = select(Audit).where(Audit.account_id == tenant.account.id).order_by(col(Audit.id).desc())
        found = (await session.exec(mine)).first()
    assert found is not None
    return found


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_the_admin_token_nothing_is_answered(shared: World, method: str, path: str) -> None:
    for given in ("", "Bearer", "Bearer  ", "Bearer wrong", "Basic " + ADMIN["Authorization"][7:]):
        answer = await call(shared, method, path, {}, Authorization=given)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorized"), given


async def test_an_account_is_listed_in_the_promised_shape(tenant: Tenant) -> None:
    rows = (await call(tenant.world, "GET", "accounts")).json()
    row = next(one for one in rows if one["account_id"] == tenant.account.id)
    assert (row["subdomain"], row["state"], row["mode"], row["stripe"]) == (
        tenant.account.subdomain, "connected", "test", [],
    )  # fmt: skip
    assert row["hook_url"].startswith(f"{PUBLIC_URL}/kommo/hooks/")


async def test_integrations_are_listed_without_their_secrets(tenant: Tenant) -> None:
    answer = await call(tenant.world, "GET", "integrations")
    row = next(one for one in answer.json() if one["client_id"] == tenant.integration.client_id)
    assert row.pop("secret")["state"] == "works"
    assert row == {
        "client_id": tenant.integration.client_id,
        "label": "",
        "account_id": tenant.account.id,
        "redirect_uri": tenant.integration.redirect_uri,
        "source": "admin",
    }
    assert tenant.integration.client_secret not in answer.text


async def test_a_removed_integration_is_gone_and_its_account_asks_to_be_connected_again(tenant: Tenant) -> None:
    path = f"integrations/{tenant.integration.client_id}"
    assert (await call(tenant.world, "DELETE", path)).json() == {"removed": True}
    assert (await call(tenant.world, "DELETE", path)).status_code == 404
    async with tenant.world.resources.database.read() as session:
        assert await session.get(Integration, tenant.integration.client_id) is None
    row = await tenant.row()
    assert (row.state, "was removed" in row.problem) == ("reconnect", True)
    assert ((await audit(tenant)).what, (await audit(tenant)).who) == ("integration removed", "admin token")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "client_secret"), ({"client_secret": ""}, "client_secret"), ({"client_secret": 5}, "client_secret"),
     ({"client_secret": "x", "redirect_uri": "nowhere"}, "redirect_uri"), ({"client_secret": "x", "code": 5}, "code"),
     ({"client_secret": "x", "label": 5}, "label"), ({"client_secret": "x", "code": "y"}, "subdomain"),
     ({"client_secret": "x", "code": "y", "subdomain": 5}, "subdomain")],
)  # fmt: skip
async def test_a_wrong_integration_is_refused_at_its_field_and_not_kept(
    shared: World, body: dict[str, Any], field: str
) -> None:
    answer = await call(shared, "PUT", "integrations/never-seen", body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    async with shared.resources.database.read() as session:
        assert await session.get(Integration, "never-seen") is None


@pytest.mark.parametrize("status", ["404", "401"])
async def test_a_code_for_an_address_where_no_account_is_is_told_the_address(
    shared: World, tenant: Tenant, status: str
) -> None:
    shared.kommo.switches.set("wrong_subdomain", status)
    former = tenant.account.subdomain
    shared.kommo.rename_subdomain(tenant.account, f"{former}-moved")
    given = {"client_secret": tenant.integration.client_secret, "subdomain": former,
             "code": shared.kommo.issue_code(tenant.integration.client_id)}  # fmt: skip
    answer = await call(shared, "PUT", f"integrations/{tenant.integration.client_id}", given)
    shared.kommo.switches.set("wrong_subdomain", "401")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "subdomain")
    assert f"{former}.kommo.com" in answer.json()["error"]["message"]


@pytest.mark.parametrize("what", ["stages", "options", "stripe"])
async def test_what_is_no_object_is_refused(tenant: Tenant, what: str) -> None:
    for body, status in ((b"{", 400), (b"", 400), (b"\xff", 400), (b"[]", 422), (b"null", 422), (b'"x"', 422)):
        assert (await put(tenant, what, body)).status_code == status, body


@pytest.mark.parametrize("what", ["stages", "options", "stripe"])
async def test_an_account_that_is_not_here_is_404(shared: World, what: str) -> None:
    body = {"api_key": "sk_test_sandbox1"} if what == "stripe" else {}
    for account_id in ("999", str(2**63 - 1)):
        answer = await call(shared, "PUT", f"accounts/{account_id}/{what}", body)
        assert (answer.status_code, "is connected here" in answer.json()["error"]["message"]) == (404, True)
    for account_id in ("0", "-1", "x", str(2**63)):
        assert (await call(shared, "PUT", f"accounts/{account_id}/{what}", body)).status_code in (404, 422)


@pytest.mark.parametrize(
    "rule",
    [142, {"paid": 1}, {"never": None}, "142", True, [142], {"paid": True}, "first status", {"paid": "first status"}],
)
async def test_a_stage_that_is_not_there_is_refused(tenant: Tenant, rule: Any) -> None:
    """142 is *won* in every pipeline: here the pipeline is a stranger's. The first status is Incoming leads."""
    pipeline = tenant.account.main_pipeline
    incoming = pipeline.statuses[0].id
    given = {"first status": incoming}.get(rule, rule) if isinstance(rule, str) else rule
    given = {"paid": incoming} if rule == {"paid": "first status"} else given
    name = "1" if rule == 142 else str(pipeline.id)
    answer = await put(tenant, "stages", {name: given})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, name)
    assert (await tenant.row()).stages == {}


async def test_stages_are_kept_pipeline_by_pipeline(tenant: Tenant) -> None:
    pipeline = tenant.account.main_pipeline
    paid, later = pipeline.statuses[2].id, pipeline.statuses[3].id
    for given, kept in (
        (142, {"first": None, "paid": 142}),
        ({"first": paid, "paid": later}, {"first": paid, "paid": later}),
        ({"paid": None}, {"first": None, "paid": None}),
        (None, {"first": None, "paid": None}),
    ):
        assert (await put(tenant, "stages", {str(pipeline.id): given})).json() == {str(pipeline.id): kept}


@pytest.mark.parametrize(
    "body",
    [{"refunds": "all"}, {"refunds": None}, {"refunds": [True]}, {"create": "admins"}, {"create": ["1"]},
     {"note_language": "de"}, {"prefill_email": "yes"}, {"prefill_email": 1}, {"bare_reference": True},
     {"shadow": "on"}, {"mode": "x"}, {"mode": []}, {"mode": None}, {"never": 1}, {"stage_hours": 0},
     {"contact_whatsapp": "5550100"}],
)  # fmt: skip
async def test_an_option_without_such_a_value_is_refused_by_its_name(tenant: Tenant, body: dict[str, Any]) -> None:
    answer = await put(tenant, "options", body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, next(iter(body)))
    assert (await tenant.row()).options == {}


@pytest.mark.parametrize(
    "body",
    [{"refunds": "admins"}, {"refunds": [1, 2]}, {"create": []}, {"renewals": "new_deal"}, {"note_language": "pt"},
     {"prefill_email": True}, {"bare_reference": "suggest"}, {"shadow": True}, {"mode": "live"},
     {"business_name": "Bluebird"}, {"contact_email": "a@example.com", "contact_phone": "+1 555 0100"}],
)  # fmt: skip
async def test_an_option_is_kept_and_the_others_stay(tenant: Tenant, body: dict[str, Any]) -> None:
    await put(tenant, "options", {"note_language": "es"})
    answer = await put(tenant, "options", body)
    assert answer.status_code == 200
    assert answer.json() | body == answer.json()
    assert answer.json()["note_language"] == body.get("note_language", "es")


async def test_the_audit_says_who_changed_what(tenant: Tenant) -> None:
    await put(tenant, "options", {"note_language": "es", "shadow": False})
    said = await audit(tenant)
    assert (said.who, said.what, said.after) == ("admin token", "options", {"note_language": "es", "shadow": False})
    await put(tenant, "options", {"note_language": "pt", "shadow": False}, **await session_of(tenant))
    said = await audit(tenant)
    assert (said.who, said.before, said.after) == (
        f"Kommo user {tenant.account.admin.id}", {"note_language": "es"}, {"note_language": "pt"},
    )  # fmt: skip


async def test_an_accounts_session_is_about_that_account_and_no_other(shared: World, tenant: Tenant) -> None:
    other = await new_tenant(shared)
    mine = await session_of(tenant)
    listed = await call(shared, "GET", "accounts", **mine)
    assert [row["account_id"] for row in listed.json()] == [tenant.account.id]
    assert (await call(shared, "GET", "unmatched", **mine)).json() == []
    refused = [
        await put(other, "options", {"shadow": True}, **mine),
        await put(other, "stages", {}, **mine),
        await put(other, "stripe", {"api_key": "sk_test_sandbox1"}, **mine),
        await call(shared, "POST", f"accounts/{other.account.id}/deals/1/move", **mine),
        await call(shared, "POST", "unmatched/pi_1/attach", {"account_id": other.account.id, "lead_id": 1}, **mine),
        await call(shared, "POST", "unmatched/pi_1/attach", {"lead_id": 1}, **mine),
        await call(shared, "GET", "integrations", **mine),
        await call(shared, "PUT", "integrations/never-seen", {"client_secret": "x"}, **mine),
        await call(shared, "DELETE", f"integrations/{other.integration.client_id}", **mine),
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in refused] == [(403, "not_allowed")] * 9
    assert ((await other.row()).options, (await other.row()).state) == ({}, "connected")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_another_sites_call_with_our_cookie_changes_nothing(tenant: Tenant, headers: dict[str, str]) -> None:
    answer = await put(tenant, "options", {"shadow": True}, **await session_of(tenant), **headers)
    assert (answer.status_code, (await tenant.row()).options) == (403, {})


async def test_after_signing_out_the_old_cookie_is_refused(shared: World, tenant: Tenant) -> None:
    first, second = await session_of(tenant), await session_of(tenant)
    await shared.http.post("/admin/logout", headers=first | OURS)
    statuses = [(await call(shared, "GET", "accounts", **one)).status_code for one in (first, second)]
    assert statuses == [401, 200]


async def test_everybody_of_an_account_can_be_signed_out(shared: World, tenant: Tenant) -> None:
    other = await new_tenant(shared)
    first, second, theirs = await session_of(tenant), await session_of(tenant), await session_of(other)
    await shared.http.post("/admin/logout", headers=first | OURS, data={"everywhere": "yes"})
    statuses = [(await call(shared, "GET", "accounts", **one)).status_code for one in (first, second, theirs)]
    assert statuses == [401, 401, 200]
    assert ((await audit(tenant)).what, (await audit(tenant)).who) == (
        "all signed out", f"Kommo user {tenant.account.admin.id}",
    )  # fmt: skip


async def test_signing_out_everywhere_ends_the_own_session_though_kommo_is_silent(
    shared: World, tenant: Tenant
) -> None:
    first, second = await session_of(tenant), await session_of(tenant)
    shared.kommo.faults.add("500_json", "/api/v4", times=0)
    answer = await shared.http.post("/admin/logout", headers=first | OURS, data={"everywhere": "yes"})
    shared.kommo.faults.clear()
    statuses = [(await call(shared, "GET", "accounts", **one)).status_code for one in (first, second)]
    assert (answer.status_code, statuses) == (502, [401, 200])


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
async def test_a_token_with_accents_is_the_same_in_a_program_and_in_a_form(shared: World, coding: str) -> None:
    token = "contraseña-del-operador-über"
    transport = httpx.ASGITransport(create_app(shared.resources, admin_token=token))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        sent = {b"Authorization": f"Bearer {token}".encode(coding)}
        assert (await http.get("/admin/api/accounts", headers=sent)).status_code == 200
        assert (await http.post("/admin/login", headers=OURS, data={"token": token})).status_code == 303


async def test_another_admin_token_ends_the_operators_sessions(shared: World) -> None:
    entered = await shared.http.post("/admin/login", headers=OURS, data={"token": ADMIN["Authorization"][7:]})
    cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
    shared.http.cookies.clear()
    assert (await call(shared, "GET", "accounts", **cookie)).status_code == 200
    again = httpx.ASGITransport(create_app(shared.resources, admin_token="another token of the tests"))
    async with httpx.AsyncClient(transport=again, base_url=PUBLIC_URL) as restarted:
        assert (await restarted.get("/admin/api/accounts", headers=cookie)).status_code == 401


async def test_no_cookie_can_be_read_in_the_database(shared: World, tenant: Tenant) -> None:
    cookie = (await session_of(tenant))["Cookie"].partition("=")[2]
    async with shared.resources.database.read() as session:
        rows = (await session.exec(select(SetupSession))).all()
    assert (len(rows) > 0, cookie in repr(rows)) == (True, False)
