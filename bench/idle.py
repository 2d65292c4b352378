"""How long it takes from a webhook's answer to the note on the card when nothing else is going on (SQLite)."""

import asyncio
import statistics
import time

from bench.figures import Figures
from bench.rig.events import webhooks
from bench.rig.load import send_all
from bench.rig.staged import marks, port_of, set_up, until
from bench.size import Size
from sandbox.product import running_product
from sandbox.stage import Stage

LATENCY_SECONDS = 0.15
ROUND_TRIPS = 3
"""A look at the deal, its fields, its note."""
PAUSE_SECONDS = 2.0
"""After that the rate limit owes us nothing."""


async def measure(size: Size) -> Figures:
    async with set_up() as stage:
        stage.kommo.latency = LATENCY_SECONDS
        async with running_product(stage.settings, stage.folder):
            await asyncio.sleep(PAUSE_SECONDS)
            times = [await _time(stage, number) for number in range(3 + 2 * size.rounds)]
    over = statistics.median(times) * 1000 - ROUND_TRIPS * LATENCY_SECONDS * 1000
    print(f"idle: the note stands on the card {ROUND_TRIPS} round trips to Kommo + {over:.0f} ms after the answer")
    return {"card.idle_ms_over_round_trips": over}


async def _time(stage: Stage, number: int) -> float:
    lead = stage.kommo.account.add_lead(f"Deal {number}", 0).id
    (request,) = webhooks(1, "/stripe/webhook", livemode=True, **marks(stage, lead))
    await send_all(port_of(stage), [request], 1)
    answered_at = time.perf_counter()
    await until("the note", lambda: stage.kommo.account.notes_of(lead), every=0.002)
    seconds = time.perf_counter() - answered_at
    await asyncio.sleep(PAUSE_SECONDS)
    return seconds
