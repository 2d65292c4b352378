"""Hooks and bots that are done go after the days of the inbox, but for what says which requests a rule has made."""

from typing import Any

import pytest
from sqlmodel import select

from backend.automation import retention
from backend.automation.retention import DAY_SECONDS, prune_automation
from backend.resources import Resources
from backend.storage.models import BotStep, StageEntry
from tests.automation.conftest import NOW

pytestmark = pytest.mark.anyio
TABLES: tuple[Any, ...] = (StageEntry, BotStep)
OLD, YOUNG = NOW - 36 * DAY_SECONDS, NOW - 34 * DAY_SECONDS


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
