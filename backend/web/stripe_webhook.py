"""Stripe's webhook route: verify the signature on the raw bytes, store the event in the inbox, and only then answer
200.

A bare ASGI object, not a decorated route: for this route a framework's layers cost more than the work.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import orjson
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import select
from starlette.types import ASGIApp

from backend.accounts.stripe.connections import secrets_of
from backend.core.errors import ProductError
from backend.core.ids import usable_id
from backend.core.telemetry.traces import IN, span
from backend.inbox.arrivals import arrival_of
from backend.inbox.group_commit import DOOR_SECONDS, Inbox
from backend.resources import Resources
from backend.storage.database_share import DatabaseShare
from backend.storage.models import StripeConnection
from backend.stripe_api.events import HANDLERS
from backend.stripe_api.signature import BadWebhook, read_event, verify

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/stripe/webhook"
REMEMBER_SECONDS = 2.0
STALE_SECONDS = 10.0
"""After ``REMEMBER_SECONDS`` one request reads the connection again and waits for it; the others use the remembered
one.
"""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Known:
    """A connection with its secrets.

    ``read_at``: the product's clock; ``asked_at``: the event loop's clock before the query.
    """

    connection: StripeConnection
    secrets: tuple[str, ...]
    read_at: float
    asked_at: float


class WebhookDoor:
    """``POST /stripe/webhook/{connection}``; without an id, the connection of the environment.

    ``share``: the part of the database's connections for callers that name a connection which was not read before.
    """

    def __init__(self, resources: Resources, inbox: Inbox, share: DatabaseShare) -> None:
        self._resources = resources
        self._inbox = inbox
        self._share = share
        self._known: dict[str | None, _Known] = {}
        self._reading: WeakValueDictionary[str | None, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery. ``scope["path_params"]`` may hold ``connection``."""
        with span("stripe_webhook", IN) as noted:
            status, answer = await self._status(scope, receive)
            noted.set_attribute("http.response.status_code", status)
        body = orjson.dumps(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _status(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        if scope["method"] != "POST":
            return _refusal(405, "method_not_allowed", "This address accepts only POST requests from Stripe.")
        try:
            connection_id = scope.get("path_params", {}).get("connection")
            known = await self._connection(connection_id)
            if known is None:
                return _refusal(
                    404,
                    "connection_unknown",
                    "No Stripe connection has this address. Correct it in Stripe.",
                )
            body = await _read_body(receive)
            return await self._accept(known, connection_id, body, _header(scope, b"stripe-signature"))
        except ProductError as error:  # the body is too large or too slow
            return error.status, error.as_json()
        except BadWebhook as error:
            log.info("webhook refused", reason=str(error))
            return _refusal(400, "bad_webhook", f"Refused: {error}.")
        except (DBAPIError, PoolTimeout) as error:  # one line each: thousands may arrive while the database is down
            log.error("webhook store failed", reason=type(error).__name__)
            return _refusal(503, "unavailable", "The event could not be stored. Send it again.")
        except Exception:  # Stripe delivers again after any 5xx; the traceback is for us
            log.exception("webhook store failed")
            return _refusal(503, "unavailable", "The event could not be stored. Send it again.")

    async def _connection(self, connection_id: str | None) -> _Known | None:
        """Return the connection with its secrets, remembered for seconds: reading them costs more than storing the
        event.
        """
        known = self._known.get(connection_id)
        age = self._resources.clock() - known.read_at if known is not None else STALE_SECONDS
        is_fresh = 0 <= age < REMEMBER_SECONDS
        if known is not None and (is_fresh or (0 <= age < STALE_SECONDS and self._is_being_read(connection_id))):
            return known
        return await self._connection_now(connection_id)

    def _is_being_read(self, connection_id: str | None) -> bool:
        lock = self._reading.get(connection_id)
        return lock is not None and lock.locked()

    async def _connection_now(self, connection_id: str | None) -> _Known | None:
        """Re-read the connection.

        Concurrent callers share one read, so a flood of forged signatures costs few queries.
        """
        since = asyncio.get_running_loop().time()
        async with self._reading.setdefault(connection_id, asyncio.Lock()):
            known = self._known.get(connection_id)
            return known if known is not None and known.asked_at >= since else await self._read(connection_id)

    async def _read(self, connection_id: str | None) -> _Known | None:
        asked_at = asyncio.get_running_loop().time()
        database = self._resources.database if connection_id in self._known else self._share
        async with database.look(DOOR_SECONDS) as session:
            if connection_id is not None and not usable_id(connection_id):
                connection = None
            elif connection_id is not None:
                connection = await session.get(StripeConnection, connection_id)
            else:
                chosen = select(StripeConnection).where(StripeConnection.source == "environment")
                connection = (await session.exec(chosen)).first()
        if connection is None or connection.state == "removed":
            self._known.pop(connection_id, None)
            return None
        secrets = tuple(secrets_of(self._resources, connection))
        known = self._known[connection_id] = _Known(connection, secrets, self._resources.clock(), asked_at)
        return known

    async def _accept(
        self, known: _Known, connection_id: str | None, body: bytes, header: str
    ) -> tuple[int, dict[str, Any]]:
        now = self._resources.clock()
        try:
            verify(body, header, known.secrets, now)
        except BadWebhook:  # the secret may be newer than the remembered connection
            known = await self._connection_now(connection_id) or known
            verify(body, header, known.secrets, now)
        connection, event = known.connection, read_event(body)
        wanted = event["type"] in HANDLERS and event.get("livemode", connection.livemode) == connection.livemode
        arrival = arrival_of(connection, event, body, now, state="new" if wanted else "ignored")
        await self._inbox.put(arrival)
        return 200, {"received": True}


class DoorFirst:
    """ASGI middleware that routes Stripe's webhooks before the framework does: its routing costs more than the webhook
    route.
    """

    def __init__(self, app: ASGIApp, door: WebhookDoor) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass Stripe's deliveries to the webhook route and all other requests to the application."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        connection = path.removeprefix(PREFIX)
        if connection and (not connection.startswith("/") or "/" in connection[1:] or connection == "/"):
            await self._app(scope, receive, send)
            return
        scope["path_params"] = {"connection": connection[1:]} if connection else {}
        await self._door(scope, receive, send)


def _refusal(status: int, code: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": code, "message": message}}


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)
