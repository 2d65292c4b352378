"""Three attackers at once, each a loop that ends with the block: anonymous callbacks, a rep's many connections, and
bodies that are never sent whole."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.web.edge.raw import connected, head, said

CALLBACKS_A_SECOND = 12
CONNECTIONS = 20
PIECE = b"x" * 10_000
HOLD_SECONDS = 10.0
"""As long as the product waits for a body: who is refused sooner does not come back sooner."""
GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError)


@dataclass(frozen=True)
class HalfBody:
    """``length`` is announced, all but the last ``PIECE`` of it is sent."""

    path: str
    length: int
    headers: dict[str, str]


@dataclass
class Attack:
    """What the attackers met: statuses of callbacks and of the rep's calls; 0 is a connection without an answer."""

    url: str
    callbacks: Counter[int] = field(default_factory=Counter)
    cards: Counter[int] = field(default_factory=Counter)
    half_sent: int = 0
    most_half_sent: int = 0

    async def call_back(self, path: str, query: dict[str, str]) -> None:
        """Anonymous callbacks with codes that Kommo never made, so many a second whatever is answered."""
        async with asyncio.TaskGroup() as tasks:
            for number in count():
                target = f"{path}?{urlencode(query | {'code': f'junk{number}'})}"
                tasks.create_task(self._one_callback(target))
                await asyncio.sleep(1 / CALLBACKS_A_SECOND)

    async def _one_callback(self, target: str) -> None:
        try:
            heard = await said(self.url, head("GET", target, {"Connection": "close"}), patience=30.0)
        except TimeoutError:
            self.callbacks[0] += 1
        else:
            self.callbacks[heard.status] += 1

    async def press(self, paths: Iterator[str], headers: dict[str, str]) -> None:
        """One connection of the rep: the next card as soon as the last one is answered."""
        while True:
            try:
                await self._press(paths, headers)
            except GONE:
                self.cards[0] += 1
                await asyncio.sleep(0.1)

    async def _press(self, paths: Iterator[str], headers: dict[str, str]) -> None:
        reader, writer = await connected(self.url)
        try:
            for path in paths:
                writer.write(head("GET", path, headers))
                self.cards[await _status(reader)] += 1
        finally:
            writer.close()

    async def send_half(self, half: HalfBody) -> None:
        """One half-sent body; another in its place once the product has given it up, and ``HOLD_SECONDS`` are over."""
        while True:
            hold = asyncio.create_task(asyncio.sleep(HOLD_SECONDS))
            try:
                with suppress(*GONE):
                    await self._send_half(half)
                await hold
            finally:
                hold.cancel()

    async def _send_half(self, half: HalfBody) -> None:
        reader, writer = await connected(self.url)
        self.half_sent += 1
        self.most_half_sent = max(self.most_half_sent, self.half_sent)
        try:
            writer.write(head("POST", half.path, {"Content-Length": str(half.length)} | half.headers))
            for _ in range(half.length // len(PIECE) - 1):
                writer.write(PIECE)
                await writer.drain()
            while await reader.read(4096):  # an answer, and at last the end
                pass
        finally:
            self.half_sent -= 1
            writer.transport.abort()


async def _status(reader: asyncio.StreamReader) -> int:
    answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"(?i)content-length: (\d+)", answer)
    await reader.readexactly(int(length[1]) if length else 0)
    return int(answer.split(" ", 2)[1])


@asynccontextmanager
async def under_way(*attackers: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """All of them run until the block ends; one that fails fails the block."""
    tasks = [asyncio.create_task(one) for one in attackers]
    try:
        yield
        for task in tasks:
            assert not task.done(), task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
