"""How long a page of all payments takes, their file, and what memory it needs, with 100,000 payments in the list."""

import asyncio
import resource
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from bench.figures import Figures
from bench.rig.staged import set_up
from bench.size import Size
from sandbox.product import running_product
from sandbox.stage import Stage

OURS = {"Sec-Fetch-Site": "same-origin"}
PAGES: Mapping[str, Mapping[str, str]] = {
    "first": {},
    "deep": {"after": "1700300000.0~pi_00001000~1000"},
    "filtered": {"currency": "JPY", "state": "received"},
    "found": {"q": "sofa 77"},
    "none": {"q": "pi_nothing_of_this_name"},
    "overview": {},
}
FILL = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
INSERT INTO payment_line
  (account_id, lead_id, id, is_payment, livemode, connection_id, at, currency, amount, gone, state, what, description,
   request_id, contact_id, user_id, overdue_at, words)
SELECT {account}, n % 60000, 'pi_' || {digits}, n % 5 <> 0, {live}, (SELECT id FROM stripe_connection LIMIT 1),
  1.7e9 + n * 300, CASE n % 4 WHEN 0 THEN 'USD' WHEN 1 THEN 'EUR' WHEN 2 THEN 'JPY' ELSE 'GBP' END, 1000 + n % 977, 0,
  CASE WHEN n % 5 <> 0 THEN 'paid' ELSE 'pending' END, 'single', 'Sofa ' || n, {random}, n, 1, NULL,
  'sofa ' || n || ' ' || (n % 60000) || ' pi_' || {digits} || ' ' || {random} || {random} || {random} FROM number
"""
SQLITE = {"digits": "printf('%08d', n)", "live": "1", "random": "lower(hex(randomblob(16)))"}
POSTGRES = {"digits": "to_char(n, 'FM00000000')", "live": "true", "random": "md5(random()::text)"}


async def measure(size: Size) -> Figures:
    return {**await _measured("sqlite", "listing", size), **await _measured("postgres", "listing.postgres", size)}


async def _measured(kind: str, name: str, size: Size) -> Figures:
    async with (
        set_up(kind) as stage,
        running_product(stage.settings, stage.folder, "serve", "--no-worker") as product,
        httpx.AsyncClient(base_url=stage.backend_url, timeout=120.0, headers=OURS) as http,
    ):
        _fill(kind, stage, size.payments)
        await http.post("/admin/login", data={"token": stage.settings["ADMIN_TOKEN"]})
        pages = {page: await _best(http, size, page) for page in PAGES}
        file = await _file(http, size.payments, product.pid)
    print(f"listing: a page of {size.payments:,} payments and requests ({kind})")
    for page, milliseconds in pages.items():
        print(f"  {page:<12} {milliseconds:7.1f} ms")
    print(f"  the file     {file.seconds:7.1f} s, {file.mib:.1f} MiB more memory while it is written")
    return {f"{name}.page_ms": max(pages.values()), f"{name}.file_s": file.seconds, f"{name}.file_mib": file.mib}


def _fill(kind: str, stage: Stage, count: int) -> None:
    """Put ``count`` lines into the list, as the worker would have over years."""
    known = {"count": count, "account": stage.kommo.account.id}
    if kind == "sqlite":
        with closing(sqlite3.connect(stage.folder / "bench.db", timeout=60.0)) as database, database:
            database.execute(FILL.format(**known, **SQLITE))
        return
    with psycopg.connect(stage.settings["DATABASE_URL"].replace("+psycopg", "", 1), autocommit=True) as postgres:
        postgres.execute(FILL.format(**known, **POSTGRES).encode())
        postgres.execute("ANALYZE payment_line")  # as autovacuum does within a minute


async def _best(http: httpx.AsyncClient, size: Size, name: str) -> float:
    """Kommo is asked for names and users each time; that is a part of it."""
    path, best = "/admin" if name == "overview" else "/admin/payments", float("inf")
    for _ in range(size.rounds):
        started = time.perf_counter()
        answer = await http.get(path, params=PAGES[name])
        best = min(best, time.perf_counter() - started)
        if answer.status_code != 200 or "Sign out" not in answer.text:
            raise RuntimeError(f"the page {name} was not shown: {answer.status_code}")
    return best * 1000


@dataclass(frozen=True)
class _File:
    """``mib``: how far the product's memory rose over what it was before, at its highest."""

    seconds: float
    mib: float


async def _file(http: httpx.AsyncClient, count: int, pid: int) -> _File:
    """The second of two: the first lets the product reach the size that it keeps."""
    await _lines_of_file(http, count)
    before = highest = _resident(pid)
    started = time.perf_counter()
    reading = asyncio.create_task(_lines_of_file(http, count))
    while not reading.done():
        highest = max(highest, _resident(pid))
        await asyncio.wait([reading], timeout=0.05)
    await reading
    return _File(time.perf_counter() - started, (highest - before) / 2**20)


async def _lines_of_file(http: httpx.AsyncClient, count: int) -> None:
    lines = 0
    async with http.stream("GET", "/admin/payments.csv") as answer:
        async for part in answer.aiter_bytes():
            lines += part.count(b"\n")
    if lines != count + 1:
        raise RuntimeError(f"the file has {lines} lines")


def _resident(pid: int) -> int:
    """Bytes of memory that the process holds; 0 where the system does not say so (only Linux does)."""
    file = Path(f"/proc/{pid}/statm")
    return int(file.read_text().split()[1]) * resource.getpagesize() if file.exists() else 0
