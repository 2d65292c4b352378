"""What the inbox keeps, and for how long."""

from collections.abc import AsyncIterator

import pytest
from sqlmodel import select

from backend.core.config import Settings
from backend.inbox import retention
from backend.inbox.retention import DAY_SECONDS, prune_inbox
from backend.resources import Resources, open_resources
from backend.storage.models import InboxEvent, StripeConnection
from sandbox.clock import MovableClock

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.0
STATES = ("new", "postponed", "dead", "done", "foreign", "ignored")


@pytest.fixture
async def resources(database_url: str) -> AsyncIterator[Resources]:
    settings = Settings(
        _env_file=None, public_url="http://127.0.0.1:1", database_url=database_url,
        secret_keys="a sealing key of the tests", admin_token="admin-token-of-the-tests", keep_events_days=40,
    )  # fmt: skip
    async with open_resources(settings, MovableClock(lambda: NOW)) as opened:
        yield opened


async def _left(resources: Resources) -> dict[str, bool]:
    """Event → has it its body."""
    async with resources.database.read() as session:
        return {one.id: one.body is not None for one in (await session.exec(select(InboxEvent))).all()}


async def test_old_bodies_and_unused_events_go_and_all_else_stays(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    ages = {"old": NOW - 41 * DAY_SECONDS, "young": NOW - 39 * DAY_SECONDS}
    async with resources.database.write() as session:
        session.add(StripeConnection(id="con", account_id=7))
        for age, at in ages.items():
            for state in STATES:
                row = InboxEvent(connection_id="con", id=f"{age}_{state}", type="x", received_at=at, state=state)
                row.body = b"sealed" if state not in ("foreign", "ignored") else None
                session.add(row)
        for name, kind, error in (("disputed", "charge.dispute.created", ""), ("lost", "x", "no such deal")):
            row = InboxEvent(connection_id="con", id=name, type=kind, received_at=ages["old"], state="done")
            row.body, row.error = b"sealed", error
            session.add(row)
    before = await _left(resources)
    await prune_inbox(resources)
    expected = before | {"old_done": False}
    del expected["old_foreign"], expected["old_ignored"]
    assert await _left(resources) == expected
