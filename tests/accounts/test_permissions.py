"""Who may see a deal in the widget: Kommo's own letter for viewing deals, remembered for five minutes."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jwt
import pytest

from backend.web import widget
from sandbox.clock import MovableClock
from sandbox.kommo.records import Lead, User
from tests.world import ADMIN, Tenant, World, new_tenant, open_world

USERS, LEADS = "/api/v4/users", "/api/v4/leads"
FIVE_MINUTES = 300


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(
        f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('rights')}/x.db",
        clock=MovableClock(),
        own_hosts=True,
    ) as made:
        yield made


@pytest.fixture
async def tenant(shared: World) -> AsyncIterator[Tenant]:
    yield await new_tenant(shared)
    shared.kommo.faults.clear()


@pytest.fixture
def clock(shared: World) -> MovableClock:
    assert isinstance(shared.clock, MovableClock)
    return shared.clock


def person(tenant: Tenant, view: str, *, group: int = 7) -> User:
    found = tenant.account.add_salesperson("Rep", "rep@shop.example")
    found.leads.view, found.group_id = view, group
    return found


def deal(tenant: Tenant, of: User | None = None, *, group: int = 7) -> Lead:
    made = tenant.account.add_lead("Sofa", 10)
    made.responsible_user_id, made.group_id = of.id if of else tenant.account.admin.id, group
    return made


async def seen(tenant: Tenant, user: User, lead: Lead) -> httpx.Response:
    token = tenant.world.kommo.one_time_token(tenant.integration.client_id, user.id)
    return await tenant.world.http.get(f"/widget/deals/{lead.id}", headers={"X-Auth-Token": token})


@pytest.mark.parametrize(
    ("letter", "own", "in_group", "others"),
    [("A", 200, 200, 200), ("G", 200, 200, 403), ("M", 200, 403, 403), ("D", 403, 403, 403)],
)
async def test_a_letter_says_whose_deals_are_seen(
    tenant: Tenant, letter: str, own: int, in_group: int, others: int
) -> None:
    user = person(tenant, letter)
    deals = deal(tenant, user, group=8), deal(tenant, group=7), deal(tenant, group=8)
    assert [(await seen(tenant, user, one)).status_code for one in deals] == [own, in_group, others]


async def test_an_admin_sees_every_deal(tenant: Tenant) -> None:
    user = person(tenant, "D")
    user.is_admin = True
    assert (await seen(tenant, user, deal(tenant, group=8))).status_code == 200


async def test_a_deactivated_user_sees_no_deal(tenant: Tenant) -> None:
    user = person(tenant, "A")
    user.is_active = False
    assert (await seen(tenant, user, deal(tenant, user))).status_code == 403


async def test_rights_are_asked_for_once_in_five_minutes(tenant: Tenant, clock: MovableClock) -> None:
    user, lead = person(tenant, "A"), deal(tenant)
    for _ in range(3):
        await seen(tenant, user, lead)
    assert tenant.asked.count(f"{USERS}/{user.id}") == 1
    user.leads.view = "D"
    clock.advance(FIVE_MINUTES - 10)
    assert (await seen(tenant, user, lead)).status_code == 200
    clock.advance(11)
    assert (await seen(tenant, user, lead)).status_code == 403


@pytest.mark.parametrize("change", ["deactivated", "deleted", "no admin", "sees nothing", "deal of another"])
async def test_before_a_refund_kommo_is_asked_at_once(tmp_path: Path, change: str) -> None:
    """A process may remember for five minutes what a dismissed employee was allowed."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(), worker=False) as shop:
        user = shop.kommo.account.add_salesperson("Rep", "rep@shop.example")
        user.is_admin = True
        await shop.stored.set_options(refunds="admins")
        await shop.paid()
        headers = shop.token(user.id)
        payment = (await shop.http.get(f"/widget/deals/{shop.first_deal.id}", headers=headers)).json()["payments"][0]
        if change == "deactivated":
            user.is_active = False
        elif change == "deleted":
            del shop.kommo.account.users[user.id]
        else:
            user.is_admin, user.leads.view = False, "D" if change == "sees nothing" else "M"
        body = {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"}
        answer = await shop.http.post(f"/widget/payments/{payment['id']}/refund", json=body, headers=headers)
        assert (answer.status_code, shop.checkout.calls(path="/v1/refunds")) == (403, [])


async def test_another_tenants_secret_signs_for_its_own_account_only(shared: World, tenant: Tenant) -> None:
    other = await new_tenant(shared)
    token = shared.kommo.one_time_token(other.integration.client_id, other.account.admin.id)
    claims = jwt.decode(token, options={"verify_signature": False}) | {"account_id": tenant.account.id}
    forged = jwt.encode(claims, other.integration.client_secret, algorithm="HS256")
    answer = await shared.http.get(f"/widget/deals/{deal(tenant).id}", headers={"X-Auth-Token": forged})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorized")


@pytest.mark.parametrize("user_id", [0, -5, 2**63, 2**200])
async def test_a_user_who_can_not_be_is_nobody(shared: World, tenant: Tenant, user_id: int) -> None:
    """Kommo's secret signs it, or a tenant's own; no database takes the number."""
    token = shared.kommo.one_time_token(tenant.integration.client_id, tenant.account.admin.id)
    claims = jwt.decode(token, options={"verify_signature": False}) | {"user_id": user_id}
    signed = jwt.encode(claims, tenant.integration.client_secret, algorithm="HS256")
    answer = await shared.http.get(f"/widget/deals/{deal(tenant).id}", headers={"X-Auth-Token": signed})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorized")


async def test_the_admin_chooses_who_may_create(tenant: Tenant) -> None:
    user, lead = person(tenant, "A"), deal(tenant)
    path = f"/admin/api/accounts/{tenant.account.id}/options"
    await tenant.world.http.put(path, json={"create": [tenant.account.admin.id]}, headers=ADMIN)
    token = tenant.world.kommo.one_time_token(tenant.integration.client_id, user.id)
    wish = {"request_id": str(uuid.uuid4()), "lead_id": lead.id, "amount": "1.00", "currency": "USD",
            "description": "Sofa", "mode": "payment"}  # fmt: skip
    answer = await tenant.world.http.post("/widget/requests", json=wish, headers={"X-Auth-Token": token})
    assert (answer.status_code, "administrator has not allowed" in answer.text) == (403, True)


async def test_every_route_of_the_card_asks_for_the_right_to_see_the_deal(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db") as product:
        lead_id = await product.paid_deal()
        calls = await _calls(product, lead_id)
        routes = {route.path for route in widget.router.routes if hasattr(route, "path")}
        assert routes - {"/widget/setup"} == set(calls)  # the set-up is for admins only, and has its own test
        rep = product.account.add_salesperson("Rep", "rep@shop.example")
        for method, path, body in calls.values():
            answer = await product.http.request(method, product.url + path, json=body, headers=product.token(rep.id))
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed"), path


async def _calls(product: World, lead_id: int) -> dict[str, tuple[str, str, dict[str, object] | None]]:
    shown = (await product.http.get(f"{product.url}/widget/deals/{lead_id}", headers=product.token())).json()
    request, payment = shown["requests"][0]["id"], shown["payments"][0]["id"]
    wish: dict[str, object] = {"request_id": str(uuid.uuid4()), "lead_id": lead_id, "amount": "1.00",
                               "currency": "USD", "description": "Sofa", "mode": "payment"}  # fmt: skip
    back: dict[str, object] = {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"}
    return {
        "/widget/requests": ("POST", "/widget/requests", wish),
        "/widget/deals/{lead_id}": ("GET", f"/widget/deals/{lead_id}", None),
        "/widget/deals/{lead_id}/check": ("POST", f"/widget/deals/{lead_id}/check", None),
        "/widget/requests/{request_id}/cancel": ("POST", f"/widget/requests/{request}/cancel", None),
        "/widget/requests/{request_id}/preview": ("POST", f"/widget/requests/{request}/preview", None),
        "/widget/payments/{payment_id}/refund": ("POST", f"/widget/payments/{payment}/refund", back),
    }
