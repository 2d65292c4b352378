"""How many webhooks a second the door verifies, stores and commits, beside a FastAPI route that does nothing."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
from stripe import WebhookSignature

from backend.sandbox.product import running_product
from backend.sandbox.serving import free_port
from bench.load import Measured, post_all

SECRET = "whsec_of_the_benchmark"  # noqa: S105
EVENTS = 4000
CONNECTIONS = (16, 128)


async def measure() -> None:
    print("ingest: signed events of 3 kB, stored and committed before the answer (SQLite, web and load on one machine)")
    for connections in CONNECTIONS:
        bare = await _bare(connections)
        door = await _door(connections)
        share = door.requests_per_second / bare.requests_per_second
        print(f"  {connections:>3} connections   bare route {_line(bare)}")
        print(f"                    our door   {_line(door)}   = {share:.0%} of the bare route")


def _line(measured: Measured) -> str:
    rate, median, p99 = measured.requests_per_second, measured.median_ms, measured.p99_ms
    return f"{rate:7.0f}/s  median {median:5.1f} ms  p99 {p99:6.1f} ms  failures {measured.failures}"


async def _bare(connections: int) -> Measured:
    port = free_port()
    words = ("-m", "uvicorn", "bench.bare:app", "--port", str(port), "--log-level", "error", "--no-access-log")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=Path(__file__).parents[1])
    try:
        await _until_listening(port)
        return await post_all(port, "/", _events(), connections)
    finally:
        process.terminate()
        await process.wait()


async def _door(connections: int) -> Measured:
    port = free_port()
    settings = {
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "SECRET_KEYS": "a sealing key of the benchmark",
        "ADMIN_TOKEN": "token-of-the-benchmark",
        "STRIPE_WEBHOOK_SECRET": SECRET,
    }
    with tempfile.TemporaryDirectory() as folder:
        async with running_product(settings, Path(folder), "serve", "--no-worker"):
            return await post_all(port, "/stripe/webhook", _events(), connections)


async def _until_listening(port: int) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(200):
            try:
                await http.post(f"http://127.0.0.1:{port}/", content=b"x")
                return
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    raise RuntimeError("the bare route did not start")


def _events() -> Iterator[tuple[bytes, str]]:
    now = int(time.time())
    for number in range(EVENTS):
        intent = {
            "id": f"pi_{number}",
            "status": "succeeded",
            "amount_received": 100,
            "currency": "eur",
            "fill": "x" * 2700,
        }
        event = {
            "id": f"evt_{number}",
            "object": "event",
            "type": "payment_intent.succeeded",
            "created": now,
            "livemode": False,
            "data": {"object": intent},
        }
        body = orjson.dumps(event)
        yield body, WebhookSignature.generate_signature_header(body.decode(), SECRET, timestamp=now)
