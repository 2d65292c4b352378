"""The web's listening sockets and the server that serves them."""

import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

from backend.web.connections import LATE_CONNECTIONS, allow_connections, bounded_protocol

WEB_GRACE_SECONDS = 8


class CannotListen(Exception):
    """The server can't listen on the address. The message is a sentence for the operator."""


class WebServer(uvicorn.Server):
    """Uvicorn's server without its signal handlers, which end the process by the signal instead of with code 0."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._tell_started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to our own handlers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the sockets, then call ``started``. Raises ``CannotListen`` if another process listens there."""
        try:
            await super().startup(sockets)
        except OSError as error:  # two processes that start together can both bind; only one can listen
            host, port = sockets[0].getsockname()[:2] if sockets else ("", 0)
            raise CannotListen(_reason(host, port, error)) from error
        await self._tell_started()


def web_config(app: ASGIApp, trusted_proxies: Sequence[str]) -> uvicorn.Config:
    """Return uvicorn's configuration for ``app``.

    X-Forwarded-For is believed only from ``trusted_proxies`` (addresses or networks). Raises the limit of open files.
    """
    most = allow_connections()
    return uvicorn.Config(
        app,
        proxy_headers=bool(trusted_proxies),  # X-Forwarded-For is believed from these addresses only
        forwarded_allow_ips=list(trusted_proxies),
        http=bounded_protocol(most),
        ws="none",
        limit_concurrency=most + LATE_CONNECTIONS,
        access_log=False,  # paths are secrets here; our own log names routes
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=WEB_GRACE_SECONDS,
    )


def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a bound socket for each address of ``host``; connections are accepted only once the server starts.

    Raises ``CannotListen``.
    """
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            one = socket.socket(family, kind, protocol)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except OSError as error:
        for one in sockets:
            one.close()
        raise CannotListen(_reason(host, port, error)) from error
    return sockets


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another process. End it or choose another port: PORT or --port."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}. Choose a port above 1023: PORT or --port."
    return f"{host} can't be listened on: {error.strerror or error}. Check HOST and PORT."


def address_of(listening: socket.socket) -> str:
    """Return the socket's address as a URL, ``http://host:port``."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
