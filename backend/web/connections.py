"""TCP connections of the web: how long a sender may take, and who gives way when there are too many.

An ASGI application never hears of a request whose head has not come, so this is the server's own protocol class.
Times and sizes of bodies that a route reads are the edge's business; here is what holds for those that nobody reads.
"""

import asyncio
import resource
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
BODY_SECONDS = 12.0
"""A little more than the edge gives a route that reads, whose answer should come first."""
UNREAD_BYTES = 8_000_000
"""What is thrown away of a body after its refusal: a sender that is cut off while sending never reads the answer."""
READ_BYTES = 16 * 1024
"""Taken from a connection at once: asyncio takes 256 KB, and each of 600 half-sent bodies may have as much waiting."""
MOST_CONNECTIONS = 2000
LATE_CONNECTIONS = 16
"""So many more may come while all others are being answered; uvicorn then answers 503 by itself."""
FILES_FOR_THE_REST = 200
"""Database, Kommo, Stripe, logs."""


class BoundedProtocol(H11Protocol):
    """Uvicorn's, with a time for each head and body.

    Where there are too many connections, the one that has waited longest for its own sender is closed: half-sent
    requests can't keep out those that are sent whole.
    """

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS
    most = MOST_CONNECTIONS

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._waits_for = ""
        self._patience: asyncio.TimerHandle | None = None
        self._came = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES
        self._watch()
        if len(self.connections) > self.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._waits_for == "body":
            self._came += len(data)
        super().data_received(data)
        self._watch()
        if self._came > UNREAD_BYTES:
            self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._waits_for != "body":
            self._waits_for = ""  # a head that is waited for now is the next one's
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _watch(self) -> None:
        """Follows what the sender owes us: a head, a body or nothing."""
        state = self.conn.their_state
        owed = "head" if state is h11.IDLE else "body" if state is h11.SEND_BODY else ""
        if owed == self._waits_for:
            return
        self._stop_waiting()
        self._waits_for, self._came = owed, 0
        if owed and not self.transport.is_closing():
            seconds = self.head_seconds if owed == "head" else self.body_seconds
            self._patience = self.loop.call_later(seconds, self._give_up)
            _waiting(self.server_state)[self] = None

    def _stop_waiting(self) -> None:
        _waiting(self.server_state).pop(self, None)
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._stop_waiting()
        self.transport.abort()

    def _make_room(self) -> None:
        longest = next(iter(_waiting(self.server_state)), None)
        if longest is not None and longest is not self:
            longest._give_up()


def _waiting(server_state: Any) -> dict[BoundedProtocol, None]:
    """The server's connections that wait for their sender, the longest first."""
    if not hasattr(server_state, "waiting"):
        server_state.waiting = {}
    found: dict[BoundedProtocol, None] = server_state.waiting
    return found


def bounded_protocol(most: int = MOST_CONNECTIONS) -> type[BoundedProtocol]:
    """Returns the protocol class for a server that keeps at most so many connections."""
    return type("BoundedProtocol", (BoundedProtocol,), {"most": most})


def allow_connections(most: int = MOST_CONNECTIONS) -> int:
    """Raises the limit of open files as far as the system lets us; returns how many connections that carries."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + FILES_FOR_THE_REST
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(min(most, soft - FILES_FOR_THE_REST), 16)
