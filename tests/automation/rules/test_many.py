"""Many deals are moved into a stage at once: few calls to Kommo, and each deal is asked once."""

import asyncio
from pathlib import Path

import pytest

from backend.storage.models import PaymentRequest, StageEntry
from sandbox.clock import MovableClock
from tests.automation.rules.stage import add_action
from tests.world import open_world


@pytest.mark.parametrize("count", [25, pytest.param(300, marks=pytest.mark.full)])
async def test_many_deals_cost_kommo_two_reads_for_ten(tmp_path: Path, count: int) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock()) as product:
        stage = await add_action(product)
        leads = [stage.deal(100, name=f"Deal {number}") for number in range(count)]
        since = len(product.kommo.requests)
        for lead_id in leads:
            stage.move(lead_id)
        for _ in range(count * 20):
            entries: list[StageEntry] = await product.rows(StageEntry)
            if len(entries) == count and all(one.state == "done" for one in entries):
                break
            await asyncio.sleep(0.05)
        assert {one.outcome for one in entries} == {"asked"}
        asked: list[PaymentRequest] = await product.rows(PaymentRequest)
        assert sorted(row.lead_id for row in asked) == sorted(leads)
        feeds = [one for one in product.kommo.requests[since:] if one.path == "/api/v4/events"]
        assert len(feeds) <= count // 2  # ten a call where they have come; the first may come one by one
