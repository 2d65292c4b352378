"""How fast many paid deals of one account are written, and with how many calls to Kommo each."""

import asyncio
import tempfile
import time
from pathlib import Path

from backend.sandbox.inside import Product, running

DEALS = 1000
LATENCIES = (0.15, 0.5)
RATE = 6.0


async def measure() -> None:
    print(f"drain: {DEALS} paid deals of one account, {RATE:g} calls a second allowed")
    for latency in LATENCIES:
        with tempfile.TemporaryDirectory() as folder:
            async with running(f"sqlite+aiosqlite:///{folder}/drain.db", more={"kommo_rate": RATE}) as product:
                await _drain(product, latency)


async def _drain(product: Product, latency: float) -> None:
    product.stripe.ground.switches.turn({"rate_limits": "none"})
    leads = [product.lead(f"Deal {number}") for number in range(DEALS)]
    marks = {"kommo_account_id": str(product.account.id)}
    product.stripe.courier.held = True
    for lead_id in leads:
        product.pay_outside_our_link(lead_id, marks)
    product.kommo.latency = latency
    before, started = len(product.kommo.requests), time.perf_counter()
    product.stripe.courier.held = False
    product.stripe.courier.release("created")
    while not all(product.notes(lead_id) for lead_id in leads):
        await asyncio.sleep(0.1)
    seconds, calls = time.perf_counter() - started, len(product.kommo.requests) - before
    refused = sum(asked.status == 429 for asked in product.kommo.requests[before:])
    print(
        f"  Kommo at {latency * 1000:3.0f} ms a call: {DEALS / seconds:5.1f} deals/s, {calls / DEALS:.3f} calls a deal, "
        f"{calls / seconds / RATE:.0%} of the allowed rate, {refused} refused for rate"
    )
