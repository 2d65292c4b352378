"""How many webhooks a second the door verifies, stores and commits, beside a FastAPI route that does nothing."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.figures import Figures
from bench.rig.beside import bare_route, tutorial
from bench.rig.databases import KINDS, database_of
from bench.rig.events import SECRET, webhooks
from bench.rig.load import Measured, send_all
from bench.rig.rounds import best_of, ratio
from bench.size import Size
from sandbox.product import running_product
from sandbox.serving import free_port

CONNECTIONS = (16, 128)
DOOR = "/stripe/webhook"


async def measure(size: Size) -> Figures:
    print("ingest: signed events of 3 kB, stored and committed before the answer (web and load on one machine)")
    figures: Figures = {}
    async with bare_route() as bare:
        for kind in KINDS:
            async with door(kind) as port:
                for connections in CONNECTIONS:
                    figures |= await _beside(size, kind, connections, bare, port)
        figures |= await _beside_tutorial(size)
    return figures


async def _beside(size: Size, kind: str, connections: int, bare: int, port: int) -> Figures:
    best = await best_of(
        size.rounds,
        {
            "bare route": lambda: send(size, bare, "/", connections),
            f"door, {kind}": lambda: send(size, port, DOOR, connections),
        },
    )
    peer, ours = best.values()
    for name, measured in best.items():
        print(f"  {connections:>3} connections   {name:<14} {measured}")
    return {
        f"ingest.{kind}.ratio_to_bare_{connections}": ratio(ours, peer),
        f"ingest.{kind}.p99_ms_{connections}": ours.p99_ms,
    }


async def _beside_tutorial(size: Size) -> Figures:
    async with tutorial(SECRET) as flask, door("sqlite") as port:
        best = await best_of(
            size.rounds,
            {"tutorial": lambda: send(size, flask, "/", 16), "door": lambda: send(size, port, DOOR, 16)},
        )
    print(f"   16 connections   tutorial       {best['tutorial']} (Flask, stores nothing)")
    return {"ingest.sqlite.ratio_to_flask_16": ratio(best["door"], best["tutorial"])}


async def send(size: Size, port: int, path: str, connections: int) -> Measured:
    return await send_all(port, webhooks(size.events, path), connections)


@asynccontextmanager
async def door(kind: str) -> AsyncIterator[int]:
    """The port of a product without a worker that takes webhooks at ``DOOR``."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, database_of(kind, Path(folder)) as url:
        async with running_product(settings(port, url), Path(folder), "serve", "--no-worker"):
            yield port


def settings(port: int, database_url: str) -> dict[str, str]:
    return {
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "DATABASE_URL": database_url,
        "SECRET_KEYS": "a sealing key of the benchmark",
        "ADMIN_TOKEN": "the-token-of-the-benchmark",
        "STRIPE_WEBHOOK_SECRET": SECRET,
    }
