"""How fast many paid deals of one account are written, and with how many calls to Kommo each."""

import asyncio
import time
from collections.abc import Callable

from backend.sandbox.product import running_product
from backend.sandbox.stage import Stage, connect, set_stage
from backend.sandbox.stripe.foreign import Foreign

DEALS = 1000
RATE = 6.0
LATENCIES = (0.15, 0.5)


async def measure() -> None:
    print(f"drain: {DEALS} paid deals of one account, {RATE:g} calls a second allowed")
    for latency in LATENCIES:
        async with (
            set_stage(more={"KOMMO_RATE": str(RATE), "LOG_FORMAT": "json"}) as stage,
            running_product(stage.settings, stage.folder),
        ):
            await connect(stage)
            await _until("the webhook endpoint", lambda: stage.stripe.default_account.shelves[True].endpoints)
            await _drain(stage, latency)


async def _drain(stage: Stage, latency: float) -> None:
    kommo, stripe = stage.kommo, stage.stripe
    stripe.ground.switches.turn({"rate_limits": "none"})
    stripe.courier.held = True
    leads = [kommo.account.add_lead(f"Deal {number}", 0).id for number in range(DEALS)]
    for lead_id in leads:
        marks = {"kommo_account_id": str(kommo.account.id), "kommo_lead_id": str(lead_id)}
        stripe.foreign_payment(Foreign(kind="intent", metadata=marks), live=True)
    kommo.latency = latency
    before, started = len(kommo.requests), time.perf_counter()
    stripe.courier.held = False
    stripe.courier.release("created")
    await _until("every deal noted", lambda: len(kommo.account.notes) >= DEALS)
    seconds, asked = time.perf_counter() - started, kommo.requests[before:]
    refused = sum(one.status == 429 for one in asked)
    print(
        f"  Kommo at {latency * 1000:3.0f} ms a call: {DEALS / seconds:5.1f} deals/s, {len(asked) / DEALS:.3f} calls a "
        f"deal, {len(asked) / seconds / RATE:.0%} of the allowed rate, {refused} refused for rate"
    )


async def _until(what: str, holds: Callable[[], object]) -> None:
    for _ in range(1200):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{what}: not within two minutes")
