"""Many deals are moved into a stage at once: Kommo's rate is kept, and people, payments and order do not suffer."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.storage.models import PaymentRequest, StageEntry
from sandbox.clock import MovableClock
from sandbox.kommo.traffic.log import CallRecord
from tests.automation.rules.stage import add_action
from tests.world import World, open_world

RATE = 7
"""Calls a second that Kommo takes of an integration, and we make."""
BATCH = 10


@pytest.mark.parametrize("count", [12, pytest.param(300, marks=pytest.mark.full)])
async def test_a_rush_keeps_to_kommos_rate_and_lets_people_and_payments_pass(tmp_path: Path, count: int) -> None:
    paced = {"kommo_rate": RATE - 0.1, "kommo_ip_rate": float(RATE)}
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(), more=paced) as product:
        stage = await add_action(product)
        others = [product.lead(f"Other {number}") for number in range(3)]
        links = {lead_id: await product.link(lead_id) for lead_id in others[:2]}
        await product.quiet()
        product.kommo.limits.rate = RATE
        usual = await _calls_until_shown(product, others[0], links[others[0]])
        rush = [stage.deal(100, name=f"Deal {number}") for number in range(count)]
        for lead_id in rush:
            stage.move(lead_id)
        await _asked(product, 1)
        assert await _calls_before_a_person(product, others[2]) <= 2
        late = await _calls_until_shown(product, others[1], links[others[1]])
        await _asked(product, count)
        refused = [one for one in product.kommo.requests if one.status in (403, 429)]
        assert refused == []
        assert {one.outcome for one in await _entries(product, "done")} == {"asked"}
        assert await _is_in_order(product, rush)
        assert late <= 2 * usual


async def _asked(product: World, count: int) -> None:
    """Waits until so many entries are done."""
    for _ in range(4_000):
        if len(await _entries(product, "done")) >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the entries were not worked on")


async def _entries(product: World, state: str) -> list[StageEntry]:
    rows: list[StageEntry] = await product.rows(StageEntry)
    return [one for one in rows if one.state == state]


async def _calls_until_shown(product: World, lead_id: int, link: str) -> int:
    """How many calls Kommo has from the payment to the write of the card: at a full rate that is its lateness."""
    since = len(product.kommo.requests)
    await product.pay(link)
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid")
    return _place(product, since, lambda one: _writes(one, lead_id)) + 1


async def _calls_before_a_person(product: World, lead_id: int) -> int:
    """How many calls go before those of a person who presses the button now."""
    since = len(product.kommo.requests)
    await product.link(lead_id)
    return _place(product, since, lambda one: one.path == f"/api/v4/leads/{lead_id}")


def _place(product: World, since: int, is_it: Callable[[CallRecord], bool]) -> int:
    calls = product.kommo.requests[since:]
    return next(place for place, one in enumerate(calls) if is_it(one))


def _writes(call: CallRecord, lead_id: int) -> bool:
    return call.method == "PATCH" and call.path.startswith("/api/v4/leads") and str(lead_id) in str(call.body)


async def _is_in_order(product: World, rush: list[int]) -> bool:
    """No deal is asked for before one that came a batch earlier."""
    came = {one.lead_id: one.received_at for one in await _entries(product, "done")}
    rows: list[PaymentRequest] = await product.rows(PaymentRequest)
    asked = sorted((one for one in rows if one.lead_id in set(rush)), key=lambda one: one.created_at)
    order = sorted(rush, key=lambda lead_id: came[lead_id])
    places = {lead_id: place for place, lead_id in enumerate(order)}
    return all(abs(places[one.lead_id] - place) <= BATCH for place, one in enumerate(asked))
