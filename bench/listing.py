"""How long a page of all payments takes, and its file, with 100,000 payments in the list (SQLite)."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing

import httpx

from bench.figures import Figures
from bench.rig.staged import set_up
from bench.size import Size
from sandbox.product import running_product

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
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO payment_line
  (account_id, lead_id, id, is_payment, livemode, connection_id, at, currency, amount, gone, state, what, description,
   request_id, contact_id, user_id, overdue_at, words)
SELECT ?, n % 60000, printf('pi_%08d', n), n % 5 <> 0, 1, (SELECT id FROM stripe_connection LIMIT 1), 1.7e9 + n * 300,
  CASE n % 4 WHEN 0 THEN 'USD' WHEN 1 THEN 'EUR' WHEN 2 THEN 'JPY' ELSE 'GBP' END, 1000 + n % 977, 0,
  CASE WHEN n % 5 THEN 'paid' ELSE 'pending' END, 'single', 'Sofa ' || n, hex(randomblob(16)), n, 1, NULL,
  'sofa ' || n || ' ' || (n % 60000) || printf(' pi_%08d ', n) || lower(hex(randomblob(48))) FROM number
"""


async def measure(size: Size) -> Figures:
    async with set_up() as stage, running_product(stage.settings, stage.folder, "serve", "--no-worker"):
        with closing(sqlite3.connect(stage.folder / "bench.db", timeout=60.0)) as database, database:
            database.execute(FILL, (size.payments, stage.kommo.account.id))
        async with httpx.AsyncClient(base_url=stage.backend_url, timeout=120.0, headers=OURS) as http:
            token = {"token": stage.settings["ADMIN_TOKEN"]}
            await http.post("/admin/login", data=token)
            pages = {name: await _best(http, size, name) for name in PAGES}
            seconds = await _file(http, size.payments)
    print(f"listing: a page of {size.payments:,} payments and requests (SQLite)")
    for name, milliseconds in pages.items():
        print(f"  {name:<12} {milliseconds:7.1f} ms")
    print(f"  the file     {seconds:7.1f} s")
    return {"listing.page_ms": max(pages.values()), "listing.file_s": seconds}


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


async def _file(http: httpx.AsyncClient, count: int) -> float:
    started, lines = time.perf_counter(), 0
    async with http.stream("GET", "/admin/payments.csv") as answer:
        async for part in answer.aiter_bytes():
            lines += part.count(b"\n")
    if lines != count + 1:
        raise RuntimeError(f"the file has {lines} lines")
    return time.perf_counter() - started
