"""Middleware around every route: CORS for the widget, one log line per request, and an answer for unexpected errors.

Plain ASGI: at the webhook route a framework's middleware would cost more than the work.
"""

import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.core.sentences.said import said
from backend.core.telemetry.traces import IN, span
from backend.web.client.link_pages import plain_page
from backend.web.frame.rendering import message
from backend.web.http.language import of_client
from backend.web.http.pages import is_page
from backend.widget_archive import API, API_HEADER

CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "X-Auth-Token, Content-Type",
    "Access-Control-Max-Age": "600",
    "Access-Control-Expose-Headers": API_HEADER,
    API_HEADER: str(API),
}
UNEXPECTED = {"error": {"code": "internal", "message": said("unexpected")}}
WEBHOOKS = "/stripe/webhook"
CLIENTS = ("/p/", "/d/")
log = structlog.get_logger()


def is_for_clients(scope: Scope) -> bool:
    """Return whether the path is a payer's page, where errors are pages instead of JSON."""
    path: str = scope["path"]
    return f"{path}/".startswith(CLIENTS)


class RequestLog:
    """ASGI middleware that logs each request by its route's name, adds the widget's CORS headers and answers errors."""

    def __init__(self, app: ASGIApp, kommo_base_url: str) -> None:
        self._app = app
        self._kommo_base_url = kommo_base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; lifespan events and Stripe's webhooks pass through."""
        if scope["type"] != "http" or scope["path"].startswith(WEBHOOKS):  # its log is the inbox
            await self._app(scope, receive, send)
            return
        await _Exchange(self._app, self._kommo_base_url, scope, send).run(receive)


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, kommo_base_url: str, scope: Scope, send: Send) -> None:
        self._app, self._scope, self._send = app, scope, send
        headers = Headers(scope=scope)
        self._origin = headers.get("origin", "")
        self._allowed = scope["path"].startswith("/widget/") and may_call(self._origin, kommo_base_url)
        self._preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        self._status = 0
        self._id = secrets.token_hex(8)
        self._started = time.perf_counter()

    async def run(self, receive: Receive) -> None:
        """Run the request inside a trace span and a logging context that carries its request id."""
        with (
            structlog.contextvars.bound_contextvars(request=self._id),
            span("request", IN, {"request": self._id}) as noted,
        ):
            try:
                await self._run(receive)
            finally:
                noted.update_name(route_of(self._scope))
                noted.set_attribute("http.request.method", self._scope["method"])
                noted.set_attribute("http.response.status_code", self._status)
                structlog.contextvars.unbind_contextvars("account")  # bound by the route once it knows the account

    async def _run(self, receive: Receive) -> None:
        try:
            if self._preflight:
                await self._answer(204 if self._allowed else 403, b"")
            else:
                await self._app(self._scope, receive, self._sending)
        except Exception:  # logged with its traceback; the widget gets a sentence instead of a lost connection
            log.exception("request failed", route=route_of(self._scope))
            if self._status:
                raise
            if is_for_clients(self._scope):
                await plain_page("moment", of_client(Request(self._scope)))(self._scope, receive, self._sending)
            elif is_page(self._scope["path"]):
                page = message(Request(self._scope), "nav_setup", said("unexpected"), status=500)
                await page(self._scope, receive, self._sending)
            else:
                await self._answer(500, orjson.dumps(UNEXPECTED))
        finally:
            self._log()

    async def _sending(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.add_vary_header("Origin")
            headers["X-Request-Id"] = self._id
            if self._allowed:
                headers["Access-Control-Allow-Origin"] = self._origin
                headers.update(CORS_HEADERS)
        await self._send(message)

    async def _answer(self, status: int, body: bytes) -> None:
        headers: list[Any] = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
        await self._sending({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _log(self) -> None:
        ms = round((time.perf_counter() - self._started) * 1000, 1)
        log.info(
            "request answered", route=route_of(self._scope), method=self._scope["method"], status=self._status, ms=ms
        )


def route_of(scope: Scope) -> str:
    """Return the route's name, or ``unknown``. Paths are never logged: those of links and hooks are secrets."""
    return getattr(scope.get("route"), "name", None) or "unknown"


def may_call(origin: str, kommo_base_url: str) -> bool:
    """Return whether a page of this origin may call the widget's routes.

    Allowed: https under kommo.com (docs/facts/kommo-api.md 4), and the origin of KOMMO_BASE_URL.
    """
    try:
        parts = urlsplit(origin)
    except ValueError:  # not a URL, such as ``https://[``
        return False
    ours = urlsplit(kommo_base_url)
    if "{subdomain}" not in kommo_base_url and origin == f"{ours.scheme}://{ours.netloc}":
        return True
    suffix = ours.netloc.partition("{subdomain}")[2]
    label = parts.netloc.removesuffix(suffix)
    if suffix and parts.scheme == ours.scheme and label != parts.netloc and label.replace("-", "").isalnum():
        return True
    return parts.scheme == "https" and parts.netloc == parts.hostname and parts.netloc.endswith(".kommo.com")
