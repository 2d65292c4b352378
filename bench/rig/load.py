"""A plain HTTP load on a loopback port: keep-alive connections that send one request after another.

A bare protocol over sockets, since load and server share the processors: what the load costs, the server lacks.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

END = b"\r\n\r\n"


@dataclass(frozen=True)
class Measured:
    requests_per_second: float
    median_ms: float
    p99_ms: float
    failures: int

    def __str__(self) -> str:
        return (
            f"{self.requests_per_second:7.0f}/s  median {self.median_ms:5.1f} ms  p99 {self.p99_ms:6.1f} ms  "
            f"failures {self.failures}"
        )


@dataclass
class _Run:
    """``pause``: seconds that each connection rests after an answer."""

    requests: Iterator[bytes]
    wanted: int
    pause: float
    times: list[float] = field(default_factory=list)
    failures: int = 0


class _Client(asyncio.Protocol):
    """One connection after another, for servers close theirs; ``done`` when no request is left."""

    def __init__(self, run: _Run, port: int) -> None:
        self._run = run
        self._port = port
        self._came = bytearray()
        self._sent_at = 0.0
        self._is_asked = False
        self._loop = asyncio.get_running_loop()
        self._connecting: asyncio.Task[object] | None = None
        self.done: asyncio.Future[None] = self._loop.create_future()

    async def connect(self) -> None:
        """Raises ``OSError``."""
        await self._loop.create_connection(lambda: self, "127.0.0.1", self._port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        request = next(self._run.requests, None)
        if request is None:
            self._end()
            self._transport.close()
            return
        self._is_asked, self._sent_at = True, time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(END)
        if end < 0:
            return
        head = bytes(self._came[:end]).lower()
        if len(self._came) < end + len(END) + _length(head):
            return
        self._run.times.append(time.perf_counter() - self._sent_at)
        self._run.failures += int(head[9:12]) != self._run.wanted
        self._came.clear()
        self._is_asked = False
        if b"connection: close" in head:
            self._transport.close()
        elif self._run.pause:
            self._loop.call_later(self._run.pause, self._send)
        else:
            self._send()

    def connection_lost(self, _: Exception | None) -> None:
        self._run.failures += self._is_asked
        if not self.done.done():
            self._is_asked = False
            self._connecting = self._loop.create_task(self._connect_again())

    async def _connect_again(self) -> None:
        try:
            await self.connect()
        except OSError:
            self._run.failures += 1
            self._end()

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def send_all(
    port: int, requests: Sequence[bytes], connections: int, *, wanted: int = 200, pause: float = 0.0
) -> Measured:
    """Each is sent once, by whichever connection is free; ``wanted`` is the status that is no failure."""
    run = _Run(iter(requests), wanted, pause)
    started = time.perf_counter()
    clients = [_Client(run, port) for _ in range(connections)]
    for client in clients:
        await client.connect()
    await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - started
    ordered = sorted(run.times)
    return Measured(
        len(ordered) / seconds,
        statistics.median(ordered) * 1000,
        ordered[max(int(len(ordered) * 0.99) - 1, 0)] * 1000,
        run.failures,
    )


def post(path: str, body: bytes, **headers: str) -> bytes:
    return _head("POST", path, {"content-type": "application/json", "content-length": str(len(body)), **headers}) + body


def get(path: str, **headers: str) -> bytes:
    return _head("GET", path, headers)


def _head(method: str, path: str, headers: dict[str, str]) -> bytes:
    """Underscores in a header's name stand for dashes."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + END


def _length(head: bytes) -> int:
    """``head`` in small letters."""
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0
