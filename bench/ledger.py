"""How many stored events a second become facts of the ledger, while nobody knocks at the door."""

import asyncio
import sqlite3
import time
from contextlib import closing

from bench.figures import Figures
from bench.rig.load import send_all
from bench.rig.staged import paid_deals, port_of, set_up, until
from bench.size import Size
from sandbox.product import running_product
from sandbox.stage import Stage


async def measure(size: Size) -> Figures:
    count = size.backlog // 2
    async with set_up() as stage:
        await store(stage, count)
        async with running_product(stage.settings, stage.folder):
            rate = await _rate(stage, count)
    print(f"ledger: {count} events of as many deals wait (SQLite): {rate:.0f} become facts each second")
    return {"ledger.events_per_s": rate}


async def store(stage: Stage, count: int) -> None:
    """So many payments of as many deals, taken in while no worker runs."""
    async with running_product(stage.settings, stage.folder, "serve", "--no-worker"):
        measured = await send_all(port_of(stage), paid_deals(stage, count), 32)
    if measured.failures:
        raise RuntimeError(f"{measured.failures} webhooks were not taken")


async def _rate(stage: Stage, count: int) -> float:
    """From the first commit that is seen to the last."""
    first = count
    while first == count:
        await asyncio.sleep(0.005)
        first, started = waiting(stage), time.perf_counter()
    await until("every event worked in", lambda: not waiting(stage), every=0.01)
    return first / (time.perf_counter() - started)


def waiting(stage: Stage) -> int:
    """Events that are still to be worked in."""
    with closing(sqlite3.connect(stage.folder / "bench.db", timeout=30.0)) as database:
        found = database.execute("SELECT count(*) FROM inbox_event WHERE state IN ('new', 'postponed', 'dead')")
        return int(found.fetchone()[0])
