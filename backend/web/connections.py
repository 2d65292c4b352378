"""TCP connections of the web: time and size limits for heads and unread bodies, and room for new connections.

An ASGI application sees a request only after its head is complete, so these limits are in the server's protocol class.
``edge.py`` limits the bodies that a route reads; this module limits the bodies that no route reads.
"""

import asyncio
import resource
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backend.web.joined_writes import JoinedWrites

HEAD_SECONDS = 10.0
"""Time for a sender to send a request's head."""
HEAD_BYTES = 64 * 1024
"""The parser itself has no limit for a head."""
BODY_SECONDS = 12.0
"""A little more than the edge gives a route that reads the body, so that the route's answer comes first."""
UNREAD_BYTES = 8_000_000
"""Bytes of a refused body that are read and discarded: a sender that is cut off while sending never reads the answer.
"""
READ_BYTES = 16 * 1024
"""Bytes read from a connection at a time. asyncio reads 256 KB; 600 half-sent bodies could each buffer that much."""
ALL_HERE = "kommo_stripe.body_is_here"
"""Key of an ASGI scope whose whole body has arrived."""
MOST_PIPELINED = 16
"""Requests that a sender may send before our answers. Browsers and Stripe send none ahead."""
MOST_CONNECTIONS = 2000
LATE_CONNECTIONS = 16
"""Connections accepted above the maximum while all others are being answered; uvicorn then answers 503 by itself."""
FILES_FOR_THE_REST = 200
"""File descriptors reserved for the database, Kommo, Stripe and logs."""
TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 33\r\nconnection: close\r\n\r\nThe head of a request is too long"
)


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol with a time limit and a size limit for each head and body.

    Above ``most`` connections, the one that has waited longest for its sender is closed: half-sent requests can't keep
    out complete ones. Times are in seconds.
    """

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS
    most = MOST_CONNECTIONS

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._part = "head"
        self._came = 0
        self._waits_for = ""
        self._until = 0.0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit for the first head; above ``most`` connections, close the longest-waiting one."""
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, JoinedWrites(transport, self.loop))
        if hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES
        self._watch()
        if len(self.connections) > self.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Count the bytes of the current head or body and close the connection once they exceed its limit."""
        self._came += len(data)
        super().data_received(data)
        self._watch()
        if self._came > (HEAD_BYTES if self._part == "head" else UNREAD_BYTES) or len(self.pipeline) > MOST_PIPELINED:
            self._cut_off()

    def on_headers_complete(self) -> None:
        """Start counting the body. A connection that asks for an upgrade is closed after its answer."""
        super().on_headers_complete()
        self._part, self._came = "body", 0
        self.headers = []  # trailers after a chunked body are not headers of the request
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Mark the request as complete, and start counting the next head."""
        super().on_message_complete()
        cast(dict[str, Any], self.scope)[ALL_HERE] = True
        self._part, self._came = "head", 0

    def on_response_complete(self) -> None:
        """Start the time limit for what the sender owes next."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for this sender and cancel its timer."""
        super().connection_lost(exc)
        self._stop_waiting()
        if self._patience is not None:
            self._patience.cancel()

    def _watch(self) -> None:
        """Set the time limit for what the sender owes us: a head, a body or nothing."""
        owed = self._part if self._part == "body" or self._is_answered() else ""
        if owed == self._waits_for:
            return
        self._stop_waiting()
        if owed and not self.transport.is_closing():
            self._waits_for = owed
            self._until = self.loop.time() + (self.head_seconds if owed == "head" else self.body_seconds)
            _waiting(self.server_state)[self] = None
            if self._patience is None or self._patience.when() > self._until:
                self._look_again()

    def _is_answered(self) -> bool:
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def _look_again(self) -> None:
        """Keep one timer per connection, however many requests it brings; a timer that fires too early is set again."""
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_at(self._until, self._ring)

    def _ring(self) -> None:
        self._patience = None
        if self._waits_for and self.loop.time() >= self._until:
            self._give_up()
        elif self._waits_for:
            self._look_again()

    def _stop_waiting(self) -> None:
        self._waits_for = ""
        _waiting(self.server_state).pop(self, None)

    def _give_up(self) -> None:
        self._stop_waiting()
        self.transport.abort()

    def _cut_off(self) -> None:
        if self._part == "head" and self._is_answered() and not self.transport.is_closing():
            self.transport.write(TOO_LONG)
            self.transport.close()
        else:
            self.transport.abort()

    def _make_room(self) -> None:
        longest = next(iter(_waiting(self.server_state)), None)
        if longest is not None and longest is not self:
            longest._give_up()


def _waiting(server_state: Any) -> dict[BoundedProtocol, None]:
    """Return the server's connections that wait for their sender, longest wait first."""
    if not hasattr(server_state, "waiting"):
        server_state.waiting = {}
    found: dict[BoundedProtocol, None] = server_state.waiting
    return found


def bounded_protocol(most: int = MOST_CONNECTIONS) -> type[BoundedProtocol]:
    """Return the protocol class for a server that keeps at most ``most`` connections."""
    return type("BoundedProtocol", (BoundedProtocol,), {"most": most})


def allow_connections(most: int = MOST_CONNECTIONS) -> int:
    """Raise the limit of open files as far as the system allows and return how many connections it carries.

    At most ``most``, at least 16.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + FILES_FOR_THE_REST
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(min(most, soft - FILES_FOR_THE_REST), 16)
