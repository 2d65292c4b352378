"""One ASGI app on a real loopback port, for as long as a block runs."""

import asyncio
import random
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Whom a client trusts that speaks to this machine only, without TLS: reading the real authorities takes 20 ms."""


def free_port() -> int:
    """A port that was free a moment ago; for addresses that must be known before the server starts.

    Below the ports that systems hand to outgoing connections: one of those would take it before we listen.
    """
    while True:
        port = random.randint(15_000, 30_000)  # noqa: S311 (no secret)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class PromptServer(uvicorn.Server):
    """Uvicorn's, which ends when it is told to: the original looks ten times a second whether it was."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 (given none)
        """What is being answered is answered."""
        for server in self.servers:
            server.close()
        while self.server_state.connections or self.server_state.tasks:
            for connection in list(self.server_state.connections):  # also those that were accepted meanwhile
                connection.shutdown()
            await asyncio.sleep(0.005)
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: Any, port: int = 0, host: str = "127.0.0.1", **config: Any) -> AsyncIterator[str]:
    """Serve ``app`` and yield its base URL without a trailing slash; ``port=0`` takes a free one.

    ``config`` is what uvicorn is told besides, such as the product's own ``http`` protocol.
    """
    server = PromptServer(uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, **config))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError(f"nothing listens on {host}:{port}")
            await asyncio.sleep(0.001)
        bound = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://{host}:{bound}"
    finally:
        server.end()
        await task
