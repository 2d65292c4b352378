"""The outermost ASGI layer: limits on each request's body before any route runs, and headers on every answer.

Plain ASGI, so that Stripe's webhook route is covered like the decorated routes. It reads no body by itself: a route
that refuses before it reads has buffered nothing.
"""

import asyncio
import time
from dataclasses import dataclass

import orjson
import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.core.errors import BodyTooLarge, BodyTooSlow, MalformedBody, ProductError, Unavailable
from backend.core.sentences.said import said
from backend.web.connections import ALL_HERE
from backend.web.frame.rendering import message
from backend.web.http.answer_headers import AnswerHeaders
from backend.web.http.pages import is_page
from backend.web.http.slow_refusals import MOST_A_MINUTE

KIB = 1024
WEBHOOK_BYTES = 1_000_000
HOOK_BYTES = 512 * KIB
RULE_HOOK = "/kommo/hooks/rules"
"""This address holds no secret, so its body may be no larger than any other caller's."""
LOGO_BYTES = 256 * KIB
log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """Limits of request bodies and refusals.

    ``seconds``: how long we wait for a sender's body in all. A body of more than ``small`` bytes needs one of
    ``large_bodies`` places, which bounds the memory of all bodies together. After ``refusals`` refusals in a minute,
    further refusals to that address are delayed.
    """

    small: int = 64 * KIB
    seconds: float = 10.0
    large_bodies: int = 16
    refusals: int = MOST_A_MINUTE

    def of_path(self, path: str) -> int:
        """Return the largest body in bytes that this path accepts."""
        if path == "/stripe/webhook" or path.startswith("/stripe/webhook/"):
            return WEBHOOK_BYTES
        if path.startswith("/kommo/hooks/") and path != RULE_HOOK:
            return HOOK_BYTES
        return LOGO_BYTES if path.startswith("/admin/") and path.endswith("/logo") else self.small


class Edge:
    """ASGI middleware that enforces ``limits`` on request bodies and adds ``headers`` to every answer."""

    def __init__(self, app: ASGIApp, headers: AnswerHeaders, limits: Limits) -> None:
        self._app = app
        self._headers = headers
        self._limits = limits
        self._places = asyncio.Semaphore(limits.large_bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request with an ambiguous or excessive length; else serve it with a bounded body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = tidy_path(scope["path"])
        answer, told, most = self._headers.around(send), length_told(scope), self._limits.of_path(scope["path"])
        if framed_oddly(scope):
            refusal = MalformedBody(
                "The length of this request is ambiguous. Send either Content-Length or Transfer-Encoding: chunked."
            )
            await _refuse(answer, refusal, close=True)
            return
        if told > most:
            await _refuse_large(scope, receive, answer, too_large(most))
            return
        body = _Body(receive, told, most, self._limits, self._places, is_here=ALL_HERE in scope)
        try:
            await self._app(scope, body.receive, answer)
        finally:
            body.let_go()


class _Body:
    """One request's body while it arrives, counted and timed. Only the time that we wait for the sender counts."""

    def __init__(
        self, receive: Receive, told: int, most: int, limits: Limits, places: asyncio.Semaphore, *, is_here: bool
    ) -> None:
        self._receive = receive
        self._told = told
        self._most = most
        self._small = limits.small
        self._left = limits.seconds
        self._places = places
        self._has_place = False
        self._read = 0
        self._is_whole = False
        self._needs_no_timer = is_here and 0 < told <= limits.small

    async def receive(self) -> Message:
        """Return the next part.

        Raises ``ProductError`` inside the reading route, which answers it like any other error.
        """
        if self._is_whole:
            return await self._receive()
        if self._needs_no_timer:
            return self._counted(await self._receive())
        before = time.perf_counter()
        try:
            async with asyncio.timeout(max(self._left, 0)):
                if max(self._told, self._read) > self._small:
                    await self._take_place()
                message = await self._receive()
        except TimeoutError:
            raise self._too_slow() from None
        self._left -= time.perf_counter() - before
        return self._counted(message)

    def _counted(self, message: Message) -> Message:
        if message["type"] == "http.disconnect":
            raise MalformedBody(said("body_cut_off"))
        self._read += len(message.get("body", b""))
        if self._read > self._most:
            raise too_large(self._most)
        self._is_whole = not message.get("more_body", False)
        return message

    def _too_slow(self) -> ProductError:
        if self._has_place or max(self._told, self._read) <= self._small:
            return BodyTooSlow(said("body_too_slow"))
        return Unavailable(said("bodies_too_many"))

    async def _take_place(self) -> None:
        if not self._has_place:
            await self._places.acquire()
            self._has_place = True

    def let_go(self) -> None:
        """Release the place for a large body."""
        if self._has_place:
            self._has_place = False
            self._places.release()


def framed_oddly(scope: Scope) -> bool:
    """Return whether two servers could disagree about where this request ends and the next begins."""
    codings = [value for name, value in scope["headers"] if name == b"transfer-encoding"]
    if not codings:
        return False
    return codings != [b"chunked"] or any(name == b"content-length" for name, _ in scope["headers"])


def length_told(scope: Scope) -> int:
    """Return the body's length in bytes as Content-Length states it; 0 without a valid one."""
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(told[:18]) if told.isdigit() else 0


def too_large(most: int) -> BodyTooLarge:
    """Return the error for a body of more than ``most`` bytes."""
    return BodyTooLarge(said("body_too_large", bytes=most))


def tidy_path(path: str) -> str:
    """Return the path without trailing slashes, which people add in Kommo's and Stripe's forms; a payer's address may
    also begin in capitals, as QR codes and print have it.
    """
    begin = path[:3].lower() if path[:3] in ("/P/", "/D/") else path[:3]
    return (begin + path[3:]).rstrip("/") or "/"


async def _refuse_large(scope: Scope, receive: Receive, send: Send, error: ProductError) -> None:
    """Answer a browser with a page: an administrator may choose a picture that is too large."""
    if is_page(scope["path"]):
        log.info("connection refused", reason=error.message)
        page = message(Request(scope), "nav_setup", error.message, status=error.status)
        await page(scope, receive, send)
    else:
        await _refuse(send, error)


async def _refuse(send: Send, error: ProductError, *, close: bool = False) -> None:
    """Answer before any route is known. The log line has no route name, and no path, because paths are secrets."""
    log.info("connection refused", reason=error.message)
    body = orjson.dumps(error.as_json())
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"connection", b"close")] if close else []
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
