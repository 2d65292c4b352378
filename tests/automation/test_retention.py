"""Hooks and bots that are done go after the days of the inbox, but for what says which requests a rule has made."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import select

from backend.automation import retention
from backend.automation.retention import DAY_SECONDS, prune_automation
from backend.core.config import Settings
from backend.resources import Resources, open_resources
from backend.storage.models import BotStep, StageEntry
from sandbox.clock import MovableClock

pytestmark = pytest.mark.anyio
TABLES: tuple[Any, ...] = (StageEntry, BotStep)
NOW = 1_800_000_000.0
OLD, YOUNG = NOW - 36 * DAY_SECONDS, NOW - 34 * DAY_SECONDS


@pytest.fixture
async def resources(database_url: str) -> AsyncIterator[Resources]:
    settings = Settings(
        _env_file=None, public_url="http://127.0.0.1:1", database_url=database_url,
        secret_keys="a sealing key of the tests", admin_token="admin-token-of-the-tests",
    )  # fmt: skip
    async with open_resources(settings, MovableClock(lambda: NOW)) as opened:
        yield opened


async def test_old_ones_go_and_the_newest_of_each_request_stays(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    given = {
        "nothing": (OLD, "done", None), "nothing_either": (OLD, "done", None), "young": (YOUNG, "done", None),
        "waits": (OLD, "new", None), "asked": (OLD - 1, "done", "r1"), "used": (OLD, "done", "r1"),
        "other": (OLD, "done", "r2"),
    }  # fmt: skip
    async with resources.database.write() as session:
        for name, (at, state, request_id) in given.items():
            same: dict[str, Any] = {"account_id": 7, "id": name, "lead_id": 5, "received_at": at, "state": state}
            session.add(StageEntry(rule_id="a", root_id="a", request_id=request_id, **same))
            session.add(BotStep(step="payment_link", rule_id="a", path=name, request_id=request_id, **same))
    await prune_automation(resources)
    async with resources.database.read() as session:
        for table in TABLES:
            left = {one.id for one in (await session.exec(select(table))).all()}
            assert left == {"young", "waits", "used", "other"}, table
