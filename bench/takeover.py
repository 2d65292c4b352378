"""How soon another worker goes on with the account of one that was killed (PostgreSQL)."""

import asyncio
import time
from contextlib import suppress

from bench.figures import Figures
from bench.rig.load import send_all
from bench.rig.staged import paid_deals, port_of, set_up, until
from bench.size import Size
from sandbox.product import running_product, start_product, stop_product

HELD_SECONDS = 10.0
"""Kommo's answer to the worker that is killed meanwhile."""


async def measure(_: Size) -> Figures:
    async with set_up("postgres") as stage, running_product(stage.settings, stage.folder, "serve", "--no-worker"):
        first = await start_product(stage.settings, stage.folder, "worker")
        second = None
        try:
            await asyncio.sleep(2)
            stage.kommo.latency = HELD_SECONDS
            before = len(stage.kommo.requests)
            await send_all(port_of(stage), paid_deals(stage, 1), 1)
            await until("the first worker's call", lambda: len(stage.kommo.requests) > before, every=0.01)
            second = await start_product(stage.settings, stage.folder, "worker")
            await asyncio.sleep(4)
            before = len(stage.kommo.requests)
            first.kill()
            killed_at = time.perf_counter()
            await until("the second worker's call", lambda: len(stage.kommo.requests) > before, every=0.005)
            seconds = time.perf_counter() - killed_at
        finally:
            stage.kommo.latency = 0.0
            with suppress(ProcessLookupError):
                first.kill()
            await first.wait()
            if second is not None:
                await stop_product(second)
    print(f"takeover: {seconds:.2f} s after a kill another worker calls Kommo")
    return {"takeover.killed_replica_s": seconds}
