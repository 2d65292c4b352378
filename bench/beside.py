"""The bare routes as a process of their own, for as long as they are measured."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from sandbox.serving import free_port


@asynccontextmanager
async def bare_route() -> AsyncIterator[int]:
    """Its port."""
    port = free_port()
    words = ("-m", "uvicorn", "bench.bare:app", "--port", str(port), "--log-level", "error", "--no-access-log")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=Path(__file__).parents[1])
    try:
        await _until_listening(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _until_listening(port: int) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(200):
            try:
                await http.post(f"http://127.0.0.1:{port}/", content=b"x")
                return
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    raise RuntimeError("the bare route did not start")
