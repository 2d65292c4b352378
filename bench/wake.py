"""How soon another process hears of a webhook that was just stored (PostgreSQL)."""

import asyncio
import os
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from backend.core.vault import Vault
from backend.inbox.arrivals import Arrival
from backend.inbox.group_commit import Inbox
from backend.storage.db import Database
from backend.storage.migrations import upgrade
from backend.storage.models import StripeConnection
from backend.work_queue.presence import present
from bench.figures import Figures
from bench.rig.databases import database_of
from bench.size import Size

ARRIVAL = Arrival("bench", 7, "evt", "payment_intent.succeeded", "", b"{}", "new", 1_800_000_000.0)


async def measure(size: Size) -> Figures:
    times = sorted(await _times(size.wakes))
    median, p99 = statistics.median(times), times[max(int(len(times) * 0.99) - 1, 0)]
    print(f"wake: a worker hears of a stored webhook after {median:.1f} ms (median), {p99:.1f} ms (p99)")
    return {"wake.p50_ms": median, "wake.p99_ms": p99}


async def _times(count: int) -> list[float]:
    """Milliseconds from the commit, as the door sees it, to the worker's news."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(database_of("postgres", Path("/")))
        here, there = Database(url), Database(url)
        stack.push_async_callback(here.close)
        stack.push_async_callback(there.close)
        await upgrade(here)
        async with here.write() as session:
            session.add(StripeConnection(id="bench", account_id=7))
        news = asyncio.Event()
        await stack.enter_async_context(present(there, news, os.urandom))
        inbox = Inbox(here, Vault(["a key of the benchmark"]), asyncio.Event())
        return [await _time(inbox, news, number) for number in range(count)]


async def _time(inbox: Inbox, news: asyncio.Event, number: int) -> float:
    news.clear()
    hearing = asyncio.create_task(_heard_at(news))
    await inbox.put(replace(ARRIVAL, id=f"evt_{number}"))
    stored_at = time.perf_counter()
    return max(await asyncio.wait_for(hearing, 30) - stored_at, 0.0) * 1000


async def _heard_at(news: asyncio.Event) -> float:
    await news.wait()
    return time.perf_counter()
