"""Whether the door is as fast with a million finished events in the database as with a thousand (SQLite)."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from bench.figures import Figures
from bench.ingest import DOOR, settings
from bench.rig.events import webhooks
from bench.rig.load import Measured, send_all
from bench.size import Size
from sandbox.product import running_product
from sandbox.serving import free_port

CONNECTIONS = 64
FEW = 1000
FILL = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO inbox_event
  (connection_id, id, type, api_version, body, received_at, state, source, attempts, next_try_at, error)
SELECT (SELECT id FROM stripe_connection LIMIT 1), 'evt_' || hex(randomblob(12)), 'payment_intent.succeeded', '',
  randomblob(400), 1.7e9 + n, 'done', 'webhook', 0, 0, '' FROM number
"""


async def measure(size: Size) -> Figures:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        known = settings(port, f"sqlite+aiosqlite:///{folder}/bench.db")
        async with running_product(known, Path(folder), "serve", "--no-worker"):
            _fill(Path(folder), FEW)
            few = await _fastest(size, port)
            _fill(Path(folder), size.finished - FEW)
            many = await _fastest(size, port)
    print(f"growth: {FEW:,} finished events     {few}")
    print(f"        {size.finished:,} finished events {many}")
    return {"growth.ingest_1m_over_1k": many.requests_per_second / few.requests_per_second}


def _fill(folder: Path, count: int) -> None:
    with closing(sqlite3.connect(folder / "bench.db", timeout=60.0)) as database, database:
        database.execute(FILL, (count,))


async def _fastest(size: Size, port: int) -> Measured:
    rounds = [await send_all(port, webhooks(size.events, DOOR), CONNECTIONS) for _ in range(size.rounds)]
    return max(rounds, key=lambda one: one.requests_per_second)
