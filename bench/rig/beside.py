"""The peers as processes of their own, for as long as they are measured."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.serving import free_port


@asynccontextmanager
async def bare_route() -> AsyncIterator[int]:
    """Its port. The server, its parser and its loop are the product's."""
    port = free_port()
    words = ("-m", "uvicorn", "bench.rig.bare:app", "--port", str(port), "--log-level", "error", "--no-access-log")
    async with _running(words, {}, port):
        yield port


@asynccontextmanager
async def tutorial(secret: str) -> AsyncIterator[int]:
    """Its port."""
    port = free_port()
    async with _running(("-m", "bench.rig.tutorial"), {"PORT": str(port), "WEBHOOK_SECRET": secret}, port):
        yield port


@asynccontextmanager
async def _running(words: tuple[str, ...], more: Mapping[str, str], port: int) -> AsyncIterator[None]:
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=Path(__file__).parents[2], env={**os.environ, **more}, stdout=silent, stderr=silent
    )
    try:
        await _until_listening(port)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _until_listening(port: int) -> None:
    for _ in range(400):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError("a peer of the product did not start")
