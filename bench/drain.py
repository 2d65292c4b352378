"""How fast many paid deals of one account are written, and with how many calls to Kommo each."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.figures import Figures
from bench.rig.load import send_all
from bench.rig.staged import paid_deals, port_of, set_up, until
from bench.size import QUICK, Size
from sandbox.kommo.traffic.log import CallRecord
from sandbox.product import running_product
from sandbox.stage import Stage

RATE = 6.0
LATENCIES = (0.5, 0.15)
BEAT_SECONDS = 0.005


async def measure(size: Size) -> Figures:
    print(f"drain: {size.deals} paid deals of one account wait (SQLite); {RATE:g} calls a second are allowed")
    figures: Figures = {}
    for latency in LATENCIES if size.rounds > QUICK.rounds else LATENCIES[1:]:
        async with set_up(KOMMO_RATE=str(RATE)) as stage:
            async with running_product(stage.settings, stage.folder, "serve", "--no-worker"):
                await send_all(port_of(stage), paid_deals(stage, size.deals), 32)
            stage.kommo.latency = latency
            figures = await _drain(stage, latency, size.deals)
    return figures


async def _drain(stage: Stage, latency: float, deals: int) -> Figures:
    kommo = stage.kommo
    before = len(kommo.requests)
    gc.collect()
    gc.freeze()  # what this process holds of Stripe's past is not looked through again and again while Kommo answers
    async with _listening() as lag, running_product(stage.settings, stage.folder):
        await until("every deal noted", lambda: len(kommo.account.notes) >= deals)
    gc.unfreeze()
    asked = [one for one in kommo.requests[before:] if one.path.startswith("/api/v4/leads")]
    seconds = asked[-1].at - asked[0].at + latency
    share = len(asked) / seconds / RATE
    print(
        f"  Kommo at {latency * 1000:3.0f} ms a call: {deals / seconds:5.1f} deals/s, {share:.0%} of the allowed rate,"
    )
    print(f"    {_seen(asked)}")
    print(f"    (this process, which plays Kommo, was deaf for {lag.longest * 1000:.0f} ms at most)")
    return {"drain.one_account.share_of_limit": share, "drain.one_account.calls_per_payment": len(asked) / deals}


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


def _seen(asked: list[CallRecord]) -> str:
    most = max(sum(first.at <= one.at < first.at + 1 for one in asked) for first in asked)
    refused = sum(one.status == 429 for one in asked)
    return f"at most {most} calls in any second, {refused} refused (429)"
