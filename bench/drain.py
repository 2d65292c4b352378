"""How fast many paid deals of one account are written, and with how many calls to Kommo each."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sandbox.kommo.traffic.log import CallRecord
from sandbox.product import running_product
from sandbox.stage import Stage, connect, set_stage
from sandbox.stripe.lives.foreign import Foreign

DEALS = 5000
RATE = 6.0
LATENCIES = (0.15, 0.5)
SETTINGS = {"KOMMO_RATE": str(RATE), "LOG_FORMAT": "json"}
PATIENCE_SECONDS = 1200.0
BEAT_SECONDS = 0.005


async def measure() -> None:
    print(f"drain: {DEALS} paid deals of one account wait (SQLite); {RATE:g} calls a second are allowed")
    for latency in LATENCIES:
        async with set_stage(more=SETTINGS) as stage:
            async with running_product(stage.settings, stage.folder):
                await connect(stage)
                await _until("the webhook endpoint", lambda: stage.stripe.default_account.shelves[True].endpoints)
            async with running_product(stage.settings, stage.folder, "serve", "--no-worker"):
                await _pay(stage)
            stage.kommo.latency = latency
            await _drain(stage, latency)


async def _pay(stage: Stage) -> None:
    """Every event is stored; no worker has looked at one yet."""
    kommo, stripe = stage.kommo, stage.stripe
    stripe.ground.switches.turn({"rate_limits": "none"})
    stripe.courier.at_once = 32
    for number in range(DEALS):
        lead = kommo.account.add_lead(f"Deal {number}", 0)
        marks = {"kommo_account_id": str(kommo.account.id), "kommo_lead_id": str(lead.id)}
        stripe.foreign_payment(Foreign(kind="intent", metadata=marks), live=True)
        await asyncio.sleep(0)
    await _until("every event delivered", lambda: all(one.status == "succeeded" for one in stripe.courier.deliveries))


async def _drain(stage: Stage, latency: float) -> None:
    kommo = stage.kommo
    before = len(kommo.requests)
    gc.collect()
    gc.freeze()  # what this process holds of Stripe's past is not looked through again and again while Kommo answers
    async with _listening() as lag, running_product(stage.settings, stage.folder):
        await _until("every deal noted", lambda: len(kommo.account.notes) >= DEALS)
    gc.unfreeze()
    asked = [one for one in kommo.requests[before:] if one.path.startswith("/api/v4/leads")]
    print(f"  Kommo at {latency * 1000:3.0f} ms a call: {_line(asked, latency)}")
    print(f"    (this process, which plays Kommo, was deaf for {lag.longest * 1000:.0f} ms at most)")


@dataclass
class Lag:
    """What comes in while a process is busy is seen late, and two calls that were apart seem to be one."""

    longest: float = 0.0


@asynccontextmanager
async def _listening() -> AsyncIterator[Lag]:
    lag = Lag()

    async def beat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(BEAT_SECONDS)
            lag.longest = max(lag.longest, time.perf_counter() - before - BEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield lag
    finally:
        beating.cancel()


def _line(asked: list[CallRecord], latency: float) -> str:
    """From the first call to the last answer."""
    seconds = asked[-1].at - asked[0].at + latency
    most = max(sum(first.at <= one.at < first.at + 1 for one in asked) for first in asked)
    refused = sum(one.status == 429 for one in asked)
    return (
        f"{DEALS / seconds:5.1f} deals/s, {len(asked) / DEALS:.4f} calls a payment, {len(asked) / seconds:.2f} calls/s "
        f"= {len(asked) / seconds / RATE:.0%} of the allowed rate, at most {most} in any second, "
        f"{refused} refused (429)"
    )


async def _until(what: str, holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {PATIENCE_SECONDS:.0f} seconds")
        await asyncio.sleep(0.1)
