"""SIGTERM: a worker finishes what it has begun, or hands it back, and ends well."""

import asyncio
import signal
import time

import pytest

from backend.models import AccountWork, CardWrite, WorkerBeat
from tests.processes.fleet import Fleet
from tests.processes.test_takeover import caught, is_paid, patches


async def test_what_was_begun_is_finished_and_the_account_given_back(fleet: Fleet) -> None:
    lead_id = await caught(fleet, "a", patches)
    fleet.signal("a", signal.SIGTERM)
    await asyncio.sleep(0.2)
    fleet.traffic.go.set()
    assert await fleet.ended("a") == 0
    assert len(fleet.product.notes(lead_id)) == 1
    assert {write.state for write in await fleet.product.rows(CardWrite)} == {"done"}
    assert [work.owner for work in await fleet.product.rows(AccountWork)] == [""]
    assert await fleet.product.rows(WorkerBeat) == []


@pytest.mark.full
async def test_what_can_not_be_finished_is_handed_back_within_twenty_seconds(fleet: Fleet) -> None:
    """Kommo keeps silent; the next worker need not wait for the lease."""
    lead_id = await caught(fleet, "a", patches)
    started = time.monotonic()
    fleet.signal("a", signal.SIGTERM)
    assert await fleet.ended("a") == 0
    print(f"ended after {time.monotonic() - started:.1f} s")
    assert [work.owner for work in await fleet.product.rows(AccountWork)] == [""]
    await fleet.start("b")
    await fleet.product.until(lambda: fleet.traffic.of("b"), 5)
    await is_paid(fleet, lead_id)
