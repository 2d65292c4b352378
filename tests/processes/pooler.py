"""A pooler between programs and PostgreSQL that lends its connections by transaction, as PgBouncer can: whoever comes
next gets whichever is free, so nothing that a session holds is anybody's, and what it hears is lost."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import make_url

ENCRYPTION = {80877103, 80877104}
CANCEL = 80877102
SIZE = 3


@dataclass
class Lent:
    """A connection to the server. ``owed``: answers that the client still has to get before it may be taken back."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: bytes
    client: asyncio.StreamWriter | None = None
    owed: int = 0
    is_mid_request: bool = False
    free: asyncio.Event = field(default_factory=asyncio.Event)

    def pass_on(self, kind: bytes, message: bytes) -> None:
        self.owed += kind in b"QSF"
        self.is_mid_request = kind not in b"QSF"
        self.writer.write(message)

    async def relay(self) -> None:
        while True:
            kind, message = await read_message(self.reader)
            if self.client is None:
                continue
            self.client.write(message)
            if kind == b"Z":
                self.owed -= 1
                if message[5:6] == b"I" and not self.owed and not self.is_mid_request:
                    self.client = None
                    self.free.set()


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """(its kind, all of it)."""
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


@dataclass
class Pooler:
    idle: asyncio.Queue[Lent]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            if await self._greet(reader, writer):
                await self._lend(reader, writer)
        writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while True:
            length, code = struct.unpack("!II", await reader.readexactly(8))
            await reader.readexactly(length - 8)
            if code == CANCEL:
                return False
            if code in ENCRYPTION:
                writer.write(b"N")
                continue
            lent = await self.idle.get()
            writer.write(lent.greeting)
            self.idle.put_nowait(lent)
            return True

    async def _lend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lent: Lent | None = None
        while True:
            kind, message = await read_message(reader)
            if kind == b"X":
                return
            if lent is None or lent.client is not writer:
                lent = await self.idle.get()
                lent.client = writer
                lent.free.clear()
                asyncio.create_task(self._take_back(lent))  # noqa: RUF006 (the event it waits for keeps it)
            lent.pass_on(kind, message)

    async def _take_back(self, lent: Lent) -> None:
        await lent.free.wait()
        self.idle.put_nowait(lent)


@asynccontextmanager
async def pooling(database_url: str) -> AsyncIterator[str]:
    """The URL of the same database behind a pooler."""
    url = make_url(database_url)
    idle: asyncio.Queue[Lent] = asyncio.Queue()
    for _ in range(SIZE):
        idle.put_nowait(await _connect(f"{url.query['host']}/.s.PGSQL.5432", str(url.database)))
    relays = [asyncio.create_task(lent.relay()) for lent in idle._queue]  # type: ignore[attr-defined]
    server = await asyncio.start_server(Pooler(idle).serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/{url.database}"
    finally:
        server.close()
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)


async def _connect(socket_path: str, database: str) -> Lent:
    reader, writer = await asyncio.open_unix_connection(socket_path)
    words = b"".join(word.encode() + b"\0" for word in ("user", "postgres", "database", database, ""))
    writer.write(struct.pack("!II", 8 + len(words), 196608) + words)
    greeting, kind = b"", b""
    while kind != b"Z":
        kind, message = await read_message(reader)
        greeting += message
    return Lent(reader, writer, greeting)
