"""Whatever a caller sends, the world answers as Kommo would, never with a fault of its own."""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld, create_app

KEYS = st.sampled_from(
    "id name price status_id pipeline_id responsible_user_id custom_fields_values field_id field_code values value "
    "enum_id enum_code tags_to_add _embedded tags contacts loss_reason_id entity_id entity_type note_type params text "
    "service complete_till created_by created_at task_type_id result is_completed type code enums sort group_id fields "
    "is_api_only destination settings to_entity_id to_entity_type metadata is_main request_id grant_type".split()
)
WORDS = st.sampled_from(["common", "select", "text", "leads", "contacts", "X", "", "142"])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 150), st.floats(allow_nan=False, allow_infinity=False), WORDS
)
VALUES = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4), max_leaves=12
)
ITEMS = st.dictionaries(KEYS, VALUES, max_size=6)
WRITES = [
    ("PATCH", "/api/v4/leads"),
    ("PATCH", "/api/v4/leads/{lead}"),
    ("POST", "/api/v4/leads"),
    ("POST", "/api/v4/leads/complex"),
    ("POST", "/api/v4/leads/notes"),
    ("POST", "/api/v4/leads/{lead}/notes"),
    ("POST", "/api/v4/tasks"),
    ("PATCH", "/api/v4/tasks"),
    ("POST", "/api/v4/leads/custom_fields"),
    ("PATCH", "/api/v4/leads/custom_fields"),
    ("PATCH", "/api/v4/leads/custom_fields/{field}"),
    ("POST", "/api/v4/leads/custom_fields/groups"),
    ("PATCH", "/api/v4/leads/custom_fields/groups/default"),
    ("POST", "/api/v4/leads/{lead}/link"),
    ("POST", "/api/v4/leads/{lead}/unlink"),
    ("POST", "/api/v4/leads/link"),
    ("POST", "/api/v4/webhooks"),
    ("POST", "/oauth2/access_token"),
]


@pytest.fixture(scope="module")
def world() -> KommoWorld:
    """One world for all bodies: what earlier ones left behind must not break it either."""
    world = KommoWorld(MovableClock(), switches={"account_rate": "none"})
    world.limits.rate = 1_000_000
    world.account.add_field("X", "select", options=["X"], code="X")
    return world


async def statuses(world: KommoWorld, method: str, path: str, body: Any) -> list[int]:
    """Of the write and of reading the deal afterwards; an exception inside the world comes out here."""
    integration = world.add_integration(world.account, "https://pay.example.com/cb")
    token = world.issue_pair(integration.client_id, world.account.admin.id).access
    lead = next(iter(world.account.leads))
    field = next(one.id for one in world.account.custom_fields.values() if one.code == "X")
    transport, headers = httpx.ASGITransport(create_app(world)), {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://kommo.test", headers=headers) as http:
        written = await http.request(method, path.format(lead=lead, field=field), json=body)
        read = await http.get(f"/api/v4/leads/{lead}?with=contacts")
        return [written.status_code, read.status_code]


@pytest.mark.parametrize(("method", "path"), WRITES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.one_of(st.lists(ITEMS, max_size=2), ITEMS))
def test_no_body_breaks_the_world(world: KommoWorld, method: str, path: str, body: Any) -> None:
    written, read = asyncio.run(statuses(world, method, path, body))
    assert written in (200, 201, 204, 400, 401, 404, 422)
    assert read == 200
