"""HTTP by hand: what a well-behaved client would never send."""

import asyncio
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Heard:
    """``status`` 0: the connection was closed without an answer. ``seconds``: until the answer or the end."""

    status: int
    seconds: float
    text: str
    closed: bool = False


async def connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def said(url: str, sent: bytes, patience: float = 20.0, until_closed: bool = False) -> Heard:
    """Sends ``sent`` as it is and hears the answer's head, or everything until the other side closes."""
    began = perf_counter()
    reader, writer = await connected(url)
    try:
        writer.write(sent)
        async with asyncio.timeout(patience):
            text = await (reader.read() if until_closed else reader.read(4096))
    except ConnectionError:
        text = b""
    finally:
        writer.close()
    status = int(text.split(b" ", 2)[1]) if text.startswith(b"HTTP/1.1 ") else 0
    return Heard(status, perf_counter() - began, text.decode("latin-1"), closed=until_closed)
