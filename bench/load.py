"""A plain HTTP load on a loopback port: keep-alive connections that send one request after another."""

import asyncio
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


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


async def post_all(port: int, path: str, requests: Iterator[tuple[bytes, str]], connections: int) -> Measured:
    """``requests``: (body, signature header); 200 is wanted."""
    return await _send_all(port, (_post(path, body, signature) for body, signature in requests), connections, 200)


async def get_all(port: int, paths: Iterable[str], connections: int, *, wanted: int) -> Measured:
    """``wanted``: the status that is no failure."""
    return await _send_all(port, (_get(path) for path in paths), connections, wanted)


async def _send_all(port: int, requests: Iterator[bytes], connections: int, wanted: int) -> Measured:
    """Each is sent once, by whichever connection is free."""
    times: list[float] = []
    failures = 0

    async def client() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in requests:
            started = time.perf_counter()
            writer.write(request)
            status = await _answer(reader)
            times.append(time.perf_counter() - started)
            failures += status != wanted
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    seconds = time.perf_counter() - started
    ordered = sorted(times)
    return Measured(
        len(times) / seconds,
        statistics.median(ordered) * 1000,
        ordered[int(len(ordered) * 0.99) - 1] * 1000,
        failures,
    )


def _post(path: str, body: bytes, signature: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nStripe-Signature: {signature}\r\n\r\n"
    )
    return head.encode() + body


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length"))
    await reader.readexactly(length)
    return int(lines[0].split()[1])
