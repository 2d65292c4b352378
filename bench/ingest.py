"""How many webhooks a second the door verifies, stores and commits, beside a FastAPI route that does nothing."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
from stripe import WebhookSignature

from bench.beside import bare_route
from bench.load import Measured, post_all
from sandbox.product import running_product
from sandbox.serving import free_port

SECRET = "whsec_of_the_benchmark"  # noqa: S105
EVENTS = 4000
CONNECTIONS = (16, 128)


async def measure() -> None:
    print("ingest: signed events of 3 kB, stored and committed before the answer (SQLite, web and load on one machine)")
    for connections in CONNECTIONS:
        bare = await _bare(connections)
        door = await _door(connections)
        share = door.requests_per_second / bare.requests_per_second
        print(f"  {connections:>3} connections   bare route {bare}")
        print(f"                    our door   {door}   = {share:.0%} of the bare route")


async def _bare(connections: int) -> Measured:
    async with bare_route() as port:
        return await post_all(port, "/", _events(), connections)


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
